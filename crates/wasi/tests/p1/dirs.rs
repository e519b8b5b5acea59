//! Listing directories.

use crate::guest::{CREAT, DATA, DIRECTORY, Guest, OUT, Outcome, refused};

/// An entry as it lies in memory.
#[derive(Debug, PartialEq, Eq, Clone)]
struct Entry {
    next: u64,
    ino: u64,
    filetype: u8,
    name: String,
}

/// The bytes of one call.
fn raw(g: &mut Guest, fd: i64, room: usize, cookie: u64) -> Outcome<Vec<u8>> {
    g.call("fd_readdir", &[fd, DATA, room as i64, cookie as i64, OUT])?;
    let used = g.u32(OUT) as usize;
    Ok(g.peek(DATA, used))
}

/// The whole entries in `bytes`.
fn decode(mut bytes: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    while let Some((head, rest)) = bytes.split_at_checked(24) {
        let len = u32::from_le_bytes(head[16..20].try_into().unwrap()) as usize;
        let Some((name, rest)) = rest.split_at_checked(len) else { break };
        entries.push(Entry {
            next: u64::from_le_bytes(head[0..8].try_into().unwrap()),
            ino: u64::from_le_bytes(head[8..16].try_into().unwrap()),
            filetype: head[20],
            name: String::from_utf8(name.to_vec()).unwrap(),
        });
        bytes = rest;
    }
    entries
}

#[test]
fn an_empty_directory_has_itself_and_its_parent() {
    let mut g = Guest::new();
    let entries = decode(&raw(&mut g, 3, 1000, 0).unwrap());
    let names: Vec<_> = entries.iter().map(|e| (e.name.as_str(), e.filetype)).collect();
    assert_eq!(names, [(".", 3), ("..", 3)]);
    assert_eq!(entries[0].ino, g.stat(".", 0).unwrap().ino);
}

#[test]
fn types_and_numbers() {
    let mut g = Guest::new();
    g.file("file", b"");
    g.mkdir("dir").unwrap();
    g.symlink("file", "link").unwrap();
    let mut entries = decode(&raw(&mut g, 3, 1000, 0).unwrap());
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let names: Vec<_> = entries.iter().map(|e| (e.name.as_str(), e.filetype)).collect();
    assert_eq!(names, [(".", 3), ("..", 3), ("dir", 3), ("file", 4), ("link", 7)]);
    assert_eq!(entries[3].ino, g.stat("file", 0).unwrap().ino);
    assert_eq!(entries[4].ino, g.stat("link", 0).unwrap().ino);
}

#[test]
fn cookies_continue_and_repeat() {
    let mut g = Guest::new();
    for i in 0..200 {
        let fd = g.open(&format!("file-{i}"), CREAT).unwrap();
        g.close(fd).unwrap();
    }
    let whole = decode(&raw(&mut g, 3, 0x2_0000, 0).unwrap());
    assert_eq!(whole.len(), 202);
    // In small pieces, with the last entry cut off each time.
    let mut pieces = Vec::new();
    let mut cookie = 0;
    loop {
        let bytes = raw(&mut g, 3, 100, cookie).unwrap();
        let entries = decode(&bytes);
        pieces.extend(entries.iter().cloned());
        if bytes.len() < 100 {
            break;
        }
        cookie = entries.last().unwrap().next;
    }
    assert_eq!(pieces, whole);
    // Any cookie can be gone back to.
    for at in [0, 1, 77, 200] {
        let from = decode(&raw(&mut g, 3, 0x2_0000, whole[at].next).unwrap());
        assert_eq!(from, whole[at + 1..]);
    }
    assert_eq!(raw(&mut g, 3, 100, 202), Ok(vec![]));
    assert_eq!(raw(&mut g, 3, 100, u64::MAX), Ok(vec![]));
}

#[test]
fn cookies_stay_good_while_entries_go() {
    let mut g = Guest::new();
    for i in 0..50 {
        let fd = g.open(&format!("file-{i}"), CREAT).unwrap();
        g.close(fd).unwrap();
    }
    let mut cookie = 0;
    let mut removed = 0;
    loop {
        let entries = decode(&raw(&mut g, 3, 64, cookie).unwrap());
        let Some(entry) = entries.first() else { break };
        if entry.filetype == 4 {
            g.unlink(&entry.name).unwrap();
            removed += 1;
        }
        cookie = entry.next;
    }
    assert_eq!(removed, 50);
    assert_eq!(decode(&raw(&mut g, 3, 1000, 0).unwrap()).len(), 2);
}

#[test]
fn a_cut_off_entry_fills_the_buffer() {
    let mut g = Guest::new();
    let whole = raw(&mut g, 3, 1000, 0).unwrap();
    assert_eq!(whole.len(), 24 + 1 + 24 + 2);
    for room in [0, 1, 23, 24, 25, 26, 50] {
        assert_eq!(raw(&mut g, 3, room, 0).unwrap(), whole[..room]);
    }
}

#[test]
fn names_that_are_not_text_are_left_out() {
    use std::os::unix::ffi::OsStrExt;
    let mut g = Guest::new();
    let odd = g.dir.path().join(std::ffi::OsStr::from_bytes(b"\xff\xfe"));
    std::fs::write(odd, b"").unwrap();
    assert_eq!(decode(&raw(&mut g, 3, 1000, 0).unwrap()).len(), 2);
}

#[test]
fn only_directories_are_listed() {
    let mut g = Guest::new();
    g.file("f", b"");
    let fd = g.open("f", 0).unwrap();
    refused!(raw(&mut g, fd, 100, 0), Notdir);
    refused!(raw(&mut g, 1, 100, 0), Notdir);
    refused!(raw(&mut g, 99, 100, 0), Badf);
    let no_rights = g.open_at(3, 0, ".", DIRECTORY, [0, 0], 0).unwrap();
    refused!(raw(&mut g, no_rights, 100, 0), NotCapable);
}
