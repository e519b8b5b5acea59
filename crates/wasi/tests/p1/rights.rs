//! Rights: held, passed on, given away.

use crate::guest::{
    ALL, CREAT, DIRECTORY, FD_FILESTAT_SET_SIZE, FD_READ, FD_SEEK, FD_TELL, FD_WRITE, Guest, OUT,
    PATH_FILESTAT_SET_SIZE, PATH_OPEN, SYNC, TRUNC, refused,
};

#[test]
fn what_a_preopened_directory_has() {
    let mut g = Guest::new();
    let stat = g.fdstat(3).unwrap();
    assert_eq!((stat.filetype, stat.flags, stat.inheriting), (3, 0, ALL));
    assert_eq!(stat.base & (FD_READ | FD_WRITE | FD_SEEK | FD_FILESTAT_SET_SIZE), 0);
    assert_eq!(stat.base & PATH_OPEN, PATH_OPEN);
}

#[test]
fn files_get_what_is_asked_for() {
    let mut g = Guest::new();
    g.file("f", b"abc");
    let fd = g.open_at(3, 0, "f", 0, [FD_READ, 0], 0).unwrap();
    assert_eq!(g.fdstat(fd).unwrap().base, FD_READ);
    assert_eq!(g.read(fd, 9), Ok(b"abc".to_vec()));
    refused!(g.write(fd, b"x"), NotCapable);
    refused!(g.seek(fd, 0, 0), NotCapable);
    refused!(g.tell(fd), NotCapable);
    refused!(g.pread(fd, 1, 0), NotCapable);
    refused!(g.stat_fd(fd), NotCapable);
    refused!(g.call("fd_sync", &[fd]), NotCapable);
    refused!(g.call("fd_fdstat_set_flags", &[fd, 0]), NotCapable);
    let fd = g.open_at(3, 0, "f", 0, [FD_WRITE, 0], 0).unwrap();
    refused!(g.read(fd, 9), NotCapable);
    assert_eq!(g.write(fd, b"x"), Ok(1));
}

#[test]
fn rights_that_do_not_fit_the_type_are_dropped() {
    let mut g = Guest::new();
    g.file("f", b"");
    let fd = g.open("f", 0).unwrap();
    assert_eq!(g.fdstat(fd).unwrap().base & PATH_OPEN, 0);
    let fd = g.open(".", DIRECTORY).unwrap();
    assert_eq!(g.fdstat(fd).unwrap().base & FD_SEEK, 0);
    refused!(g.seek(fd, 0, 0), Badf);
}

#[test]
fn telling_is_part_of_seeking() {
    let mut g = Guest::new();
    g.file("f", b"");
    let fd = g.open_at(3, 0, "f", 0, [FD_READ | FD_TELL, 0], 0).unwrap();
    assert_eq!(g.seek(fd, 0, 1), Ok(0));
    refused!(g.seek(fd, 1, 1), NotCapable);
    assert_eq!(g.tell(fd), Ok(0));
}

#[test]
fn rights_shrink_and_never_grow() {
    let mut g = Guest::new();
    let fd = g.open("f", CREAT).unwrap();
    g.write(fd, b"data").unwrap();
    let stat = g.fdstat(fd).unwrap();
    let fewer = stat.base & !(FD_READ | FD_WRITE);
    g.call("fd_fdstat_set_rights", &[fd, fewer, stat.inheriting]).unwrap();
    assert_eq!(g.fdstat(fd).unwrap().base, fewer);
    refused!(g.read(fd, 1), NotCapable);
    refused!(g.write(fd, b"x"), NotCapable);
    g.seek(fd, 0, 0).unwrap();
    refused!(g.call("fd_fdstat_set_rights", &[fd, stat.base, stat.inheriting]), NotCapable);
    refused!(g.call("fd_fdstat_set_rights", &[99, 0, 0]), Badf);
}

#[test]
fn inheriting_rights_bound_what_is_opened() {
    let mut g = Guest::new();
    g.mkdir("d").unwrap();
    let d = g.open_at(3, 0, "d", DIRECTORY, [ALL, FD_READ | FD_WRITE], 0).unwrap();
    refused!(g.open_at(d, 0, "f", CREAT, [FD_READ | FD_SEEK, 0], 0), NotCapable);
    refused!(g.open_at(d, 0, "f", CREAT, [FD_READ, FD_SEEK], 0), NotCapable);
    refused!(g.open_at(d, 0, "f", CREAT, [FD_READ, 0], SYNC), NotCapable);
    g.open_at(d, 0, "f", CREAT, [FD_READ | FD_WRITE, FD_READ], 0).unwrap();
    g.call("fd_fdstat_set_rights", &[d, PATH_OPEN, FD_READ]).unwrap();
    refused!(g.open_at(d, 0, "f", 0, [FD_WRITE, 0], 0), NotCapable);
    refused!(g.open_at(d, 0, "f", CREAT, [FD_READ, 0], 0), NotCapable);
    g.open_at(d, 0, "f", 0, [FD_READ, 0], 0).unwrap();
    refused!(g.on_path("path_create_directory", d, "x"), NotCapable);
    refused!(g.on_path("path_remove_directory", d, "x"), NotCapable);
    refused!(g.on_path("path_unlink_file", d, "f"), NotCapable);
    g.call("fd_fdstat_set_rights", &[d, 0, 0]).unwrap();
    refused!(g.open_at(d, 0, "f", 0, [0, 0], 0), NotCapable);
}

#[test]
fn cutting_off_is_a_right_of_the_directory() {
    let mut g = Guest::new();
    g.file("f", b"data");
    let d = g.open(".", DIRECTORY).unwrap();
    let stat = g.fdstat(d).unwrap();
    let inheriting = stat.inheriting & !FD_FILESTAT_SET_SIZE;
    g.call("fd_fdstat_set_rights", &[d, stat.base, inheriting]).unwrap();
    g.open_at(d, 0, "f", TRUNC, [0, 0], 0).unwrap();
    let base = stat.base & !PATH_FILESTAT_SET_SIZE;
    g.call("fd_fdstat_set_rights", &[d, base, inheriting]).unwrap();
    refused!(g.open_at(d, 0, "f", TRUNC, [0, 0], 0), NotCapable);
}

#[test]
fn preopened_directories_have_names() {
    let mut g = Guest::new();
    g.call("fd_prestat_get", &[3, OUT]).unwrap();
    assert_eq!((g.u32(OUT), g.u32(OUT + 4)), (0, 1));
    g.call("fd_prestat_dir_name", &[3, OUT, 1]).unwrap();
    assert_eq!(g.peek(OUT, 1), b"/");
    g.call("fd_prestat_dir_name", &[3, OUT, 9]).unwrap();
    refused!(g.call("fd_prestat_dir_name", &[3, OUT, 0]), NameTooLong);
    for fd in [0, 2, 4, 0xffff_ffff] {
        refused!(g.call("fd_prestat_get", &[fd, OUT]), Badf);
        refused!(g.call("fd_prestat_dir_name", &[fd, OUT, 9]), Badf);
    }
    let copy = g.open(".", DIRECTORY).unwrap();
    refused!(g.call("fd_prestat_get", &[copy, OUT]), Badf);
    g.close(3).unwrap();
    refused!(g.call("fd_prestat_get", &[3, OUT]), Badf);
}
