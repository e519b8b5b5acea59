//! Files in shared directories, markers, clock.

use std::io::{Read, Write};
use std::os::unix::fs::symlink;

use super::*;

fn directory(name: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("upshift-sys-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&path).expect("a directory");
    path
}

#[test]
fn a_file_is_emptied_and_links_are_refused() {
    let directory = directory("create");
    let path = directory.join("map");
    std::fs::write(&path, "old").expect("a file");
    let mut file = create_file(&path).expect("the file");
    file.write_all(b"new").expect("written");
    let mut text = String::new();
    File::open(&path).expect("the file").read_to_string(&mut text).expect("text");
    assert_eq!(text, "new");
    symlink(&path, directory.join("link")).expect("a link");
    assert!(create_file(&directory.join("link")).is_err());
    assert!(create_file(&directory).is_err());
    std::fs::remove_dir_all(directory).expect("removed");
}

#[test]
fn a_marker_is_seen_in_the_list_of_mappings() {
    let directory = directory("marker");
    let path = directory.join("jit.dump");
    let mut file = create_file(&path).expect("a file");
    file.write_all(&[0; 40]).expect("written");
    let mapped =
        || std::fs::read_to_string("/proc/self/maps").expect("mappings").contains(path.to_str().expect("UTF-8"));
    let marker = Marker::new(&file).expect("a marker");
    assert!(mapped());
    drop(marker);
    assert!(!mapped());
    std::fs::remove_dir_all(directory).expect("removed");
}

#[test]
fn the_clock_goes_on() {
    let before = monotonic_time();
    assert!(monotonic_time() >= before && before > Duration::ZERO);
    assert!(thread_id() > 0);
}
