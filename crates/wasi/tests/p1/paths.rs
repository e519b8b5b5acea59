//! Making, removing, renaming and linking by path.

use crate::guest::{FOLLOW, Guest, PATH, PATH2, refused};

#[test]
fn directories() {
    let mut g = Guest::new();
    g.mkdir("d").unwrap();
    g.mkdir("slash/").unwrap();
    refused!(g.mkdir("d"), Exist);
    refused!(g.mkdir("."), Exist);
    refused!(g.mkdir("d/.."), Exist);
    refused!(g.mkdir("x/y"), Noent);
    refused!(g.mkdir(""), Noent);
    g.file("d/f", b"");
    refused!(g.mkdir("d/f/x"), Notdir);
    refused!(g.rmdir("d"), NotEmpty);
    refused!(g.rmdir("d/f"), Notdir);
    refused!(g.rmdir("d/f/"), Notdir);
    refused!(g.rmdir("missing"), Noent);
    refused!(g.rmdir("."), Inval);
    g.rmdir("slash/").unwrap();
    g.unlink("d/f").unwrap();
    g.rmdir("d").unwrap();
    refused!(g.stat("d", 0), Noent);
}

#[test]
fn unlinking() {
    let mut g = Guest::new();
    g.mkdir("d").unwrap();
    g.file("f", b"");
    g.symlink("d", "l").unwrap();
    refused!(g.unlink("d"), Isdir);
    refused!(g.unlink("d/"), Isdir);
    refused!(g.unlink("f/"), Notdir);
    refused!(g.unlink("missing"), Noent);
    g.unlink("f").unwrap();
    g.unlink("l").unwrap();
    g.stat("d", 0).unwrap();
}

#[test]
fn renaming() {
    let mut g = Guest::new();
    g.mkdir("d").unwrap();
    g.mkdir("empty").unwrap();
    g.file("f", b"contents");
    g.file("d/x", b"");
    refused!(g.rename("f", "d"), Isdir);
    refused!(g.rename("d", "f"), Notdir);
    refused!(g.rename("f/", "g"), Notdir);
    refused!(g.rename("f", "g/"), Notdir);
    refused!(g.rename("empty", "d"), NotEmpty);
    refused!(g.rename("d", "d/inside"), Inval);
    refused!(g.rename("missing", "g"), Noent);
    g.rename("d/", "empty/").unwrap();
    g.stat("empty/x", 0).unwrap();
    g.rename("f", "empty/x").unwrap();
    assert_eq!(g.stat("empty/x", 0).unwrap().size, 8);
}

#[test]
fn renaming_between_directories() {
    let mut g = Guest::with(|builder, dir| {
        std::fs::create_dir(dir.join("other")).unwrap();
        builder.preopened_dir(dir.join("other"), "/other", wasi::Perms::ReadWrite).unwrap();
    });
    g.file("f", b"");
    g.poke(PATH, b"f");
    g.poke(PATH2, b"g");
    g.call("path_rename", &[3, PATH, 1, 4, PATH2, 1]).unwrap();
    g.stat("other/g", 0).unwrap();
    g.poke(PATH, b"other/g");
    g.call("path_link", &[3, 0, PATH, 7, 4, PATH2, 1]).unwrap_err();
    g.poke(PATH2, b"h");
    g.call("path_link", &[3, 0, PATH, 7, 4, PATH2, 1]).unwrap();
    assert_eq!(g.stat("other/h", 0).unwrap().nlink, 2);
}

#[test]
fn hard_links() {
    let mut g = Guest::new();
    g.file("f", b"");
    g.mkdir("d").unwrap();
    g.symlink("nowhere", "dangling").unwrap();
    g.link(0, "f", "d/l").unwrap();
    assert_eq!(g.stat("f", 0).unwrap(), g.stat("d/l", 0).unwrap());
    refused!(g.link(0, "f", "f"), Exist);
    refused!(g.link(0, "f", "d"), Exist);
    refused!(g.link(0, "f", "dangling"), Exist);
    refused!(g.link(0, "d", "x"), Perm);
    refused!(g.link(0, "f", "x/"), Noent);
    refused!(g.link(0, "f/", "x"), Notdir);
    refused!(g.link(0, "missing", "x"), Noent);
    refused!(g.link(FOLLOW, "dangling", "x"), Inval);
    g.link(0, "dangling", "same").unwrap();
    assert_eq!(g.stat("same", 0).unwrap().filetype, 7);
}

#[test]
fn symbolic_links() {
    let mut g = Guest::new();
    g.mkdir("d").unwrap();
    g.file("f", b"");
    g.symlink("target", "l").unwrap();
    assert_eq!(g.readlink("l", 100), Ok(b"target".to_vec()));
    assert_eq!(g.readlink("l", 4), Ok(b"targ".to_vec()));
    assert_eq!(g.readlink("l", 0), Ok(vec![]));
    refused!(g.readlink("f", 9), Inval);
    refused!(g.readlink("d", 9), Inval);
    refused!(g.readlink("missing", 9), Noent);
    refused!(g.symlink("x", "l"), Exist);
    refused!(g.symlink("x", "d/"), Exist);
    refused!(g.symlink("x", "missing/"), Noent);
    refused!(g.symlink("/etc", "absolute"), Perm);
    refused!(g.symlink("", "empty"), Noent);
    refused!(g.symlink("a\0b", "nul"), Inval);
}

#[test]
fn attributes_through_links() {
    let mut g = Guest::new();
    g.file("f", b"12345");
    g.symlink("f", "l").unwrap();
    assert_eq!(g.stat("l", FOLLOW).unwrap(), g.stat("f", 0).unwrap());
    let link = g.stat("l", 0).unwrap();
    assert_eq!((link.filetype, link.size), (7, 1));
    refused!(g.stat("l/", 0), Notdir);
    refused!(g.stat("f/", FOLLOW), Notdir);
    refused!(g.stat("missing", FOLLOW), Noent);
    refused!(g.stat("f", 2), Inval);
}
