//! Reading, writing, positions, sizes, times and flags of files.

use crate::guest::{APPEND, CREAT, DATA, END, FOLLOW, Guest, IOVS, NONBLOCK, OUT, PATH, SYNC, refused};

#[test]
fn writes_and_reads_at_the_position() {
    let mut g = Guest::new();
    let fd = g.open("f", CREAT).unwrap();
    assert_eq!(g.write(fd, b"hello world"), Ok(11));
    assert_eq!(g.tell(fd), Ok(11));
    assert_eq!(g.seek(fd, -5, 2), Ok(6));
    assert_eq!(g.read(fd, 100), Ok(b"world".to_vec()));
    assert_eq!(g.read(fd, 100), Ok(vec![]));
    assert_eq!(g.seek(fd, 1, 0), Ok(1));
    assert_eq!(g.seek(fd, 2, 1), Ok(3));
    assert_eq!(g.read(fd, 2), Ok(b"lo".to_vec()));
}

#[test]
fn refuses_bad_positions() {
    let mut g = Guest::new();
    let fd = g.open("f", CREAT).unwrap();
    g.write(fd, b"abc").unwrap();
    refused!(g.seek(fd, -1, 0), Inval);
    refused!(g.seek(fd, -4, 1), Inval);
    refused!(g.seek(fd, i64::MIN, 2), Inval);
    refused!(g.seek(fd, 0, 3), Inval);
    assert_eq!(g.seek(fd, 1 << 40, 0), Ok(1 << 40));
    refused!(g.seek(99, 0, 0), Badf);
    refused!(g.tell(99), Badf);
    refused!(g.pread(fd, 1, -1), Inval);
    refused!(g.pwrite(fd, b"x", i64::MIN), Inval);
}

#[test]
fn transfers_at_a_place_leave_the_position() {
    let mut g = Guest::new();
    let fd = g.open("f", CREAT).unwrap();
    assert_eq!(g.pwrite(fd, b"tail", 4), Ok(4));
    assert_eq!(g.tell(fd), Ok(0));
    assert_eq!(g.pread(fd, 100, 2), Ok(b"\0\0tail".to_vec()));
    assert_eq!(g.pread(fd, 100, 50), Ok(vec![]));
    assert_eq!(g.tell(fd), Ok(0));
}

#[test]
fn gathers_and_scatters() {
    let mut g = Guest::new();
    let fd = g.open("f", CREAT).unwrap();
    g.poke(DATA, b"abcdefgh");
    g.buffers(&[(DATA + 4, 4), (DATA, 0), (DATA, 4)]);
    g.call("fd_write", &[fd, IOVS, 3, OUT]).unwrap();
    assert_eq!(g.u32(OUT), 8);
    g.seek(fd, 0, 0).unwrap();
    // Out of order in memory, with an empty one between.
    g.buffers(&[(DATA + 100, 3), (DATA + 50, 0), (DATA + 20, 5)]);
    g.call("fd_read", &[fd, IOVS, 3, OUT]).unwrap();
    assert_eq!(g.u32(OUT), 8);
    assert_eq!(g.peek(DATA + 100, 3), b"efg");
    assert_eq!(g.peek(DATA + 20, 5), b"habcd");
}

#[test]
fn overlapping_buffers_make_a_short_read() {
    let mut g = Guest::new();
    g.file("f", b"0123456789");
    let fd = g.open("f", 0).unwrap();
    g.buffers(&[(DATA, 4), (DATA + 2, 4)]);
    g.call("fd_read", &[fd, IOVS, 2, OUT]).unwrap();
    assert_eq!(g.u32(OUT), 4);
    assert_eq!(g.peek(DATA, 4), b"0123");
    assert_eq!(g.tell(fd), Ok(4));
    // The same buffers can be written from.
    g.call("fd_write", &[fd, IOVS, 2, OUT]).unwrap();
    assert_eq!(g.u32(OUT), 8);
}

#[test]
fn bad_pointers_are_faults_and_have_no_effect() {
    let mut g = Guest::new();
    let fd = g.open("f", CREAT).unwrap();
    g.buffers(&[(END - 4, 8)]);
    refused!(g.call("fd_write", &[fd, IOVS, 1, OUT]), Fault);
    g.buffers(&[(0xffff_ffff, 0xffff_ffff)]);
    refused!(g.call("fd_read", &[fd, IOVS, 1, OUT]), Fault);
    refused!(g.call("fd_write", &[fd, IOVS, 0x2000_0000, OUT]), Fault);
    refused!(g.call("fd_write", &[fd, 0xffff_fffc, 1, OUT]), Fault);
    g.buffers(&[(DATA, 4)]);
    refused!(g.call("fd_write", &[fd, IOVS, 1, END - 3]), Fault);
    assert_eq!(g.stat_fd(fd).unwrap().size, 0);
    refused!(g.call("path_open", &[3, 0, END - 1, 2, CREAT, 0, 0, 0, OUT]), Fault);
    g.poke(PATH, b"g");
    refused!(g.call("path_open", &[3, 0, PATH, 1, CREAT, 0, 0, 0, END]), Fault);
    refused!(g.stat("g", 0), Noent);
    refused!(g.call("fd_fdstat_get", &[fd, END - 23]), Fault);
    refused!(g.call("random_get", &[END - 1, 2]), Fault);
    refused!(g.call("clock_time_get", &[0, 0, END - 7]), Fault);
    // An empty buffer may lie anywhere inside, the very end too.
    g.buffers(&[(END, 0)]);
    g.call("fd_write", &[fd, IOVS, 1, OUT]).unwrap();
}

#[test]
fn append_writes_at_the_end() {
    let mut g = Guest::new();
    let fd = g.open_at(3, 0, "f", CREAT, [-1, -1], APPEND).unwrap();
    g.write(fd, b"one").unwrap();
    g.seek(fd, 0, 0).unwrap();
    g.write(fd, b"two").unwrap();
    assert_eq!(g.tell(fd), Ok(6));
    assert_eq!(g.fdstat(fd).unwrap().flags, APPEND);
    g.call("fd_fdstat_set_flags", &[fd, 0]).unwrap();
    g.seek(fd, 0, 0).unwrap();
    g.write(fd, b"X").unwrap();
    assert_eq!(g.pread(fd, 9, 0), Ok(b"Xnetwo".to_vec()));
    g.call("fd_fdstat_set_flags", &[fd, APPEND | NONBLOCK]).unwrap();
    assert_eq!(g.fdstat(fd).unwrap().flags, APPEND | NONBLOCK);
    refused!(g.call("fd_fdstat_set_flags", &[fd, SYNC]), NotSup);
    refused!(g.call("fd_fdstat_set_flags", &[fd, 32]), Inval);
}

#[test]
fn sizes() {
    let mut g = Guest::new();
    let fd = g.open("f", CREAT).unwrap();
    g.write(fd, b"0123456789").unwrap();
    g.call("fd_filestat_set_size", &[fd, 4]).unwrap();
    assert_eq!(g.stat_fd(fd).unwrap().size, 4);
    g.call("fd_filestat_set_size", &[fd, 6]).unwrap();
    assert_eq!(g.pread(fd, 99, 0), Ok(b"0123\0\0".to_vec()));
    refused!(g.call("fd_filestat_set_size", &[fd, -1]), Inval);
    refused!(g.call("fd_allocate", &[fd, 0, 0]), Inval);
    refused!(g.call("fd_allocate", &[fd, i64::MAX, 1]), Inval);
    refused!(g.call("fd_allocate", &[fd, -1, 2]), Inval);
    match g.call("fd_allocate", &[fd, 4, 100]) {
        Ok(()) => assert_eq!(g.stat_fd(fd).unwrap().size, 104),
        // Not every file system can.
        refusal => refused!(refusal, NotSup),
    }
}

#[test]
fn advice_and_synchronization() {
    let mut g = Guest::new();
    let fd = g.open("f", CREAT).unwrap();
    for advice in 0..6 {
        g.call("fd_advise", &[fd, 0, 100, advice]).unwrap();
    }
    refused!(g.call("fd_advise", &[fd, 0, 0, 6]), Inval);
    refused!(g.call("fd_advise", &[fd, -1, 0, 0]), Inval);
    refused!(g.call("fd_advise", &[99, 0, 0, 0]), Badf);
    g.call("fd_sync", &[fd]).unwrap();
    g.call("fd_datasync", &[fd]).unwrap();
    g.call("fd_sync", &[3]).unwrap();
    refused!(g.call("fd_sync", &[99]), Badf);
}

#[test]
fn times() {
    let mut g = Guest::new();
    g.file("f", b"");
    g.symlink("f", "l").unwrap();
    let fd = g.open("f", 0).unwrap();
    g.call("fd_filestat_set_times", &[fd, 1_000_000_005, 2_000_000_007, 1 | 4]).unwrap();
    let stat = g.stat_fd(fd).unwrap();
    assert_eq!((stat.atim, stat.mtim), (1_000_000_005, 2_000_000_007));
    g.call("fd_filestat_set_times", &[fd, 0, 0, 8]).unwrap();
    let stat = g.stat_fd(fd).unwrap();
    assert_eq!(stat.atim, 1_000_000_005);
    assert!(stat.mtim > 1_600_000_000_000_000_000);
    for flags in [1 | 2, 4 | 8, 16] {
        refused!(g.call("fd_filestat_set_times", &[fd, 0, 0, flags]), Inval);
    }
    g.poke(PATH, b"l");
    g.call("path_filestat_set_times", &[3, 0, PATH, 1, 0, 5, 4]).unwrap();
    assert_eq!(g.stat("l", 0).unwrap().mtim, 5);
    assert_ne!(g.stat("f", 0).unwrap().mtim, 5);
    g.poke(PATH, b"l");
    g.call("path_filestat_set_times", &[3, FOLLOW, PATH, 1, 0, 9, 4]).unwrap();
    assert_eq!(g.stat("f", 0).unwrap().mtim, 9);
    assert_eq!(g.stat("l", 0).unwrap().mtim, 5);
    refused!(g.call("path_filestat_set_times", &[3, 2, PATH, 1, 0, 9, 4]), Inval);
}

#[test]
fn closed_descriptors_are_gone_and_reused_from_the_lowest() {
    let mut g = Guest::new();
    g.file("f", b"x");
    let fds: Vec<i64> = (0..3).map(|_| g.open("f", 0).unwrap()).collect();
    assert_eq!(fds, [4, 5, 6]);
    g.close(5).unwrap();
    g.close(4).unwrap();
    refused!(g.close(5), Badf);
    refused!(g.read(5, 1), Badf);
    refused!(g.fdstat(5), Badf);
    assert_eq!(g.open("f", 0), Ok(4));
    assert_eq!(g.open("f", 0), Ok(5));
    assert_eq!(g.open("f", 0), Ok(7));
}

#[test]
fn renumbering() {
    let mut g = Guest::new();
    g.file("a", b"aaa");
    g.file("b", b"bbb");
    let (a, b) = (g.open("a", 0).unwrap(), g.open("b", 0).unwrap());
    g.call("fd_renumber", &[a, b]).unwrap();
    refused!(g.fdstat(a), Badf);
    assert_eq!(g.read(b, 9), Ok(b"aaa".to_vec()));
    g.call("fd_renumber", &[b, b]).unwrap();
    g.fdstat(b).unwrap();
    refused!(g.call("fd_renumber", &[b, 99]), Badf);
    refused!(g.call("fd_renumber", &[99, b]), Badf);
    // Preopened directories are not special.
    let root = g.open(".", 2).unwrap();
    g.call("fd_renumber", &[root, 3]).unwrap();
    refused!(g.call("fd_prestat_get", &[3, OUT]), Badf);
    g.stat("a", 0).unwrap();
}

#[test]
fn attributes() {
    let mut g = Guest::new();
    g.file("f", b"12345");
    let fd = g.open("f", 0).unwrap();
    let (by_fd, by_path) = (g.stat_fd(fd).unwrap(), g.stat("f", 0).unwrap());
    assert_eq!(by_fd, by_path);
    assert_eq!((by_fd.filetype, by_fd.size, by_fd.nlink), (4, 5, 1));
    assert!(by_fd.ino != 0 && by_fd.mtim != 0);
    assert_eq!(g.stat(".", 0).unwrap().filetype, 3);
    assert_eq!(g.stat_fd(3).unwrap(), g.stat(".", FOLLOW).unwrap());
}

#[test]
fn a_directory_is_no_file() {
    let mut g = Guest::new();
    refused!(g.read(3, 1), Isdir);
    refused!(g.pread(3, 1, 0), Isdir);
    refused!(g.write(3, b"x"), Badf);
    refused!(g.pwrite(3, b"x", 0), Badf);
    refused!(g.seek(3, 0, 1), Badf);
    refused!(g.tell(3), Badf);
    refused!(g.call("fd_allocate", &[3, 0, 1]), Badf);
    refused!(g.call("fd_filestat_set_size", &[3, 0]), Badf);
}
