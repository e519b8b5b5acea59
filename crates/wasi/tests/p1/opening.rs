//! `path_open`: creation, kinds, symbolic links, the walls of the sandbox.

use crate::guest::{ALL, CREAT, DIRECTORY, EXCL, FD_READ, FD_WRITE, FOLLOW, Guest, PATH, TRUNC, refused};

#[test]
fn creation() {
    let mut g = Guest::new();
    refused!(g.open("f", 0), Noent);
    let fd = g.open("f", CREAT | EXCL).unwrap();
    g.write(fd, b"data").unwrap();
    refused!(g.open("f", CREAT | EXCL), Exist);
    let again = g.open("f", CREAT).unwrap();
    assert_eq!(g.read(again, 9), Ok(b"data".to_vec()));
    let cut = g.open("f", TRUNC).unwrap();
    assert_eq!(g.stat_fd(cut).unwrap().size, 0);
    refused!(g.open("missing/f", CREAT), Noent);
    refused!(g.open("f/x", CREAT), Notdir);
    refused!(g.open("new/", CREAT), Isdir);
    g.symlink("f", "l").unwrap();
    refused!(g.open("l", CREAT | EXCL), Exist);
}

#[test]
fn creation_needs_no_right_to_write() {
    let mut g = Guest::new();
    let fd = g.open_at(3, 0, "f", CREAT, [0, 0], 0).unwrap();
    refused!(g.write(fd, b"x"), NotCapable);
    g.file("g", b"data");
    g.open_at(3, 0, "g", TRUNC, [FD_READ, 0], 0).unwrap();
    assert_eq!(g.stat("g", 0).unwrap().size, 0);
}

#[test]
fn kinds() {
    let mut g = Guest::new();
    g.mkdir("d").unwrap();
    g.file("f", b"");
    let d = g.open("d", DIRECTORY).unwrap();
    assert_eq!(g.fdstat(d).unwrap().filetype, 3);
    refused!(g.open("f", DIRECTORY), Notdir);
    refused!(g.open("d", 0), Isdir);
    let d = g.open_at(3, 0, "d", 0, [FD_READ, 0], 0).unwrap();
    assert_eq!(g.fdstat(d).unwrap().filetype, 3);
    refused!(g.open_at(3, 0, "d", 0, [FD_WRITE, 0], 0), Isdir);
    for makes in [CREAT, EXCL, TRUNC] {
        refused!(g.open("d", DIRECTORY | makes), Inval);
    }
    let f = g.open("f", 0).unwrap();
    refused!(g.open_at(f, 0, "x", 0, [0, 0], 0), Notdir);
    refused!(g.open_at(1, 0, "x", 0, [0, 0], 0), Notdir);
    refused!(g.open_at(99, 0, "x", 0, [0, 0], 0), Badf);
}

#[test]
fn bad_arguments() {
    let mut g = Guest::new();
    refused!(g.open_at(3, 2, "f", CREAT, [0, 0], 0), Inval);
    refused!(g.open_at(3, 0, "f", 16, [0, 0], 0), Inval);
    refused!(g.open_at(3, 0, "f", CREAT, [0, 0], 32), Inval);
    refused!(g.open_at(3, 0, "f", 0x1_0001, [0, 0], 0), Inval);
    refused!(g.open("", CREAT), Noent);
    refused!(g.open("a\0b", CREAT), Inval);
    refused!(g.open(&"n".repeat(300), CREAT), NameTooLong);
    g.poke(PATH, b"\xff\xfe");
    refused!(g.call("path_open", &[3, 0, PATH, 2, CREAT, 0, 0, 0, 0x100]), Ilseq);
}

#[test]
fn trailing_slashes() {
    let mut g = Guest::new();
    g.mkdir("d").unwrap();
    g.file("d/f", b"");
    for path in ["d/", "d///", "d/.", "./d/.//", "d/../d"] {
        let fd = g.open_at(3, 0, path, 0, [0, 0], 0).unwrap();
        assert_eq!(g.fdstat(fd).unwrap().filetype, 3, "{path}");
    }
    for path in ["d/f/", "d/f///", "d/f/.", "d/f/.."] {
        refused!(g.open_at(3, 0, path, 0, [0, 0], 0), Notdir);
    }
}

#[test]
fn paths_stay_inside() {
    let mut g = Guest::new();
    let outside = g.dir.path().with_extension("outside");
    std::fs::write(&outside, b"secret").unwrap();
    let name = outside.file_name().unwrap().to_str().unwrap().to_owned();
    g.mkdir("d").unwrap();
    for lookup in [0, FOLLOW] {
        for path in ["/", "/etc/passwd", "..", "../", "d/../..", &format!("../{name}")] {
            refused!(g.open_at(3, lookup, path, 0, [FD_READ, 0], 0), Perm);
            refused!(g.stat(path, lookup), Perm);
        }
    }
    for path in [format!("../{name}"), format!("d/../../{name}")] {
        refused!(g.unlink(&path), Perm);
        refused!(g.rename(&path, "x"), Perm);
        refused!(g.link(0, &path, "x"), Perm);
        refused!(g.readlink(&path, 10), Perm);
    }
    refused!(g.mkdir("../new"), Perm);
    refused!(g.symlink("x", "../new"), Perm);
    // A directory below cannot see what is beside it.
    let d = g.open("d", DIRECTORY).unwrap();
    refused!(g.open_at(d, 0, "../d", 0, [0, 0], 0), Perm);
    std::fs::remove_file(outside).unwrap();
}

#[test]
fn links_stay_inside() {
    let mut g = Guest::new();
    g.mkdir("d").unwrap();
    g.file("f", b"here");
    std::os::unix::fs::symlink("/etc/passwd", g.dir.path().join("absolute")).unwrap();
    g.symlink("../../etc/passwd", "up").unwrap();
    g.symlink("..", "parent").unwrap();
    g.symlink("../f", "d/ok").unwrap();
    for path in ["absolute", "up", "parent", "parent/x"] {
        refused!(g.open_at(3, FOLLOW, path, 0, [FD_READ, 0], 0), Perm);
        refused!(g.stat(path, FOLLOW), Perm);
    }
    refused!(g.open_at(3, FOLLOW, "up", CREAT, [FD_WRITE, 0], 0), Perm);
    refused!(g.mkdir("parent/x"), Perm);
    refused!(g.unlink("parent/x"), Perm);
    refused!(g.readlink("absolute", 99), Perm);
    let fd = g.open_at(3, FOLLOW, "d/ok", 0, [FD_READ, 0], 0).unwrap();
    assert_eq!(g.read(fd, 9), Ok(b"here".to_vec()));
}

#[test]
fn links_at_the_end() {
    let mut g = Guest::new();
    g.mkdir("d").unwrap();
    g.symlink("d", "l").unwrap();
    refused!(g.open_at(3, 0, "l", 0, [0, 0], 0), Loop);
    refused!(g.open_at(3, 0, "l", DIRECTORY, [0, 0], 0), Notdir);
    g.open_at(3, FOLLOW, "l", DIRECTORY, [0, 0], 0).unwrap();
    g.open_at(3, 0, "l/", DIRECTORY, [0, 0], 0).unwrap();
    g.open_at(3, 0, "l/.", 0, [0, 0], 0).unwrap();
    g.symlink("b", "a").unwrap();
    g.symlink("a", "b").unwrap();
    refused!(g.open_at(3, FOLLOW, "a", 0, [0, 0], 0), Loop);
    refused!(g.stat("a", FOLLOW), Loop);
    assert_eq!(g.stat("a", 0).unwrap().filetype, 7);
    g.symlink("nowhere", "dangling").unwrap();
    refused!(g.open_at(3, FOLLOW, "dangling", 0, [0, 0], 0), Noent);
    g.open_at(3, FOLLOW, "dangling", CREAT, [ALL, 0], 0).unwrap();
    g.stat("nowhere", 0).unwrap();
}
