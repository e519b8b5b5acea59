//! Directories that the embedder gave for reading only.

use crate::guest::{ALL, CREAT, DIRECTORY, FD_READ, FD_WRITE, Guest, TRUNC, refused};
use wasi::Perms;

#[test]
fn nothing_changes() {
    let mut g = Guest::build("wasi_snapshot_preview1", Perms::ReadOnly, |_, dir| {
        std::fs::write(dir.join("f"), b"data").unwrap();
        std::fs::create_dir(dir.join("d")).unwrap();
    });
    refused!(g.mkdir("x"), Perm);
    refused!(g.rmdir("d"), Perm);
    refused!(g.unlink("f"), Perm);
    refused!(g.rename("f", "g"), Perm);
    refused!(g.link(0, "f", "g"), Perm);
    refused!(g.symlink("f", "g"), Perm);
    refused!(g.open("new", CREAT), Perm);
    refused!(g.open("f", TRUNC), Perm);
    refused!(g.open_at(3, 0, "f", 0, [FD_WRITE, 0], 0), Perm);
    assert_eq!(g.stat("f", 0).unwrap().size, 4);
    // The same through a directory opened below.
    let d = g.open_at(3, 0, ".", DIRECTORY, [ALL, ALL], 0).unwrap();
    refused!(g.on_path("path_unlink_file", d, "f"), Perm);
    refused!(g.open_at(d, 0, "f", 0, [FD_WRITE, 0], 0), Perm);
}

#[test]
fn reading_with_all_other_rights_works() {
    let mut g = Guest::build("wasi_snapshot_preview1", Perms::ReadOnly, |_, dir| {
        std::fs::write(dir.join("f"), b"data").unwrap();
    });
    let fd = g.open_at(3, 0, "f", 0, [ALL & !FD_WRITE, ALL], 0).unwrap();
    assert_eq!(g.read(fd, 9), Ok(b"data".to_vec()));
    assert_eq!(g.fdstat(fd).unwrap().base & FD_READ, FD_READ);
    refused!(g.write(fd, b"x"), Perm);
    refused!(g.call("fd_filestat_set_size", &[fd, 0]), Perm);
    refused!(g.call("fd_filestat_set_times", &[fd, 0, 0, 4]), Perm);
}
