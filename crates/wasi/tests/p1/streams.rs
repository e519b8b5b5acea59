//! Standard streams: none, in memory, and on host files and pipes.

use crate::guest::{DATA, FD_READ, FD_SEEK, FD_TELL, FD_WRITE, Guest, IOVS, OUT, refused};
use wasi::{MemoryInput, MemoryOutput};

#[test]
fn nothing_by_default() {
    let mut g = Guest::new();
    assert_eq!(g.read(0, 10), Ok(vec![]));
    assert_eq!(g.write(1, b"gone"), Ok(4));
    assert_eq!(g.write(2, b"gone"), Ok(4));
}

#[test]
fn in_memory() {
    let (out, err) = (MemoryOutput::new(), MemoryOutput::with_capacity(5));
    let mut g = Guest::with(|builder, _| {
        builder.stdin(MemoryInput::new("hello")).stdout(out.clone()).stderr(err.clone());
    });
    assert_eq!(g.read(0, 3), Ok(b"hel".to_vec()));
    assert_eq!(g.read(0, 10), Ok(b"lo".to_vec()));
    assert_eq!(g.read(0, 10), Ok(vec![]));
    g.poke(DATA, b"abcdef");
    g.buffers(&[(DATA, 2), (DATA + 4, 2)]);
    g.call("fd_write", &[1, IOVS, 2, OUT]).unwrap();
    assert_eq!(g.u32(OUT), 4);
    assert_eq!(out.contents(), b"abef");
    assert_eq!(g.write(2, b"1234567"), Ok(5));
    refused!(g.write(2, b"8"), Nospc);
    assert_eq!(err.take(), b"12345");
    refused!(g.write(0, b"x"), NotCapable);
    refused!(g.read(1, 1), NotCapable);
}

#[test]
fn streams_have_no_position() {
    let mut g = Guest::new();
    for fd in 0..3 {
        let stat = g.fdstat(fd).unwrap();
        assert_eq!((stat.filetype, stat.flags, stat.base & (FD_SEEK | FD_TELL)), (0, 0, 0));
        refused!(g.seek(fd, 0, 1), Spipe);
        refused!(g.tell(fd), Spipe);
        refused!(g.pread(fd, 1, 0), Spipe);
        refused!(g.call("fd_filestat_set_size", &[fd, 0]), Inval);
        assert_eq!(g.stat_fd(fd).unwrap().filetype, 0);
    }
    assert_eq!(g.fdstat(0).unwrap().base & (FD_READ | FD_WRITE), FD_READ);
    assert_eq!(g.fdstat(1).unwrap().base & (FD_READ | FD_WRITE), FD_WRITE);
}

#[test]
fn on_files() {
    let mut g = Guest::with(|builder, dir| {
        std::fs::write(dir.join("in"), b"input").unwrap();
        builder.stdin_file(std::fs::File::open(dir.join("in")).unwrap());
        builder.stdout_file(std::fs::File::create(dir.join("out")).unwrap());
    });
    assert_eq!(g.fdstat(0).unwrap().filetype, 4);
    assert_eq!(g.read(0, 99), Ok(b"input".to_vec()));
    assert_eq!(g.seek(0, 2, 0), Ok(2));
    refused!(g.write(0, b"x"), NotCapable);
    g.write(1, b"output").unwrap();
    assert_eq!(std::fs::read(g.dir.path().join("out")).unwrap(), b"output");
}

#[test]
fn on_pipes() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut g = Guest::with(|builder, _| {
        builder.stdout_file(writer);
    });
    assert_eq!(g.fdstat(1).unwrap().filetype, 0);
    g.write(1, b"through").unwrap();
    refused!(g.seek(1, 0, 1), Spipe);
    refused!(g.call("fd_sync", &[1]), Inval);
    g.close(1).unwrap();
    let mut all = String::new();
    std::io::Read::read_to_string(&mut reader, &mut all).unwrap();
    assert_eq!(all, "through");
    // The lowest free number is now that of the standard output.
    assert_eq!(g.open("f", 1), Ok(1));
}

#[test]
fn a_closed_pipe_is_an_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut g = Guest::with(|builder, _| {
        builder.stdout_file(writer);
    });
    refused!(g.write(1, b"x"), Pipe);
}

#[test]
fn reading_without_waiting() {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut g = Guest::with(|builder, _| {
        builder.stdin_file(reader);
    });
    g.call("fd_fdstat_set_flags", &[0, 4]).unwrap();
    refused!(g.read(0, 1), Again);
    drop(writer);
    assert_eq!(g.read(0, 1), Ok(vec![]));
}
