//! Tests of memory images.

use super::MemoryImage;
use crate::pages::page_size;

#[test]
fn zero_pages_take_no_memory_and_the_file_is_sealed() {
    let page = page_size();
    let mut contents = vec![0_u8; 64 * page];
    contents[40 * page] = 1;
    let image = MemoryImage::new(&contents).unwrap();
    let blocks = rustix::fs::fstat(image.file()).unwrap().st_blocks;
    assert_eq!(usize::try_from(blocks).unwrap() * 512, page);
    assert!(rustix::io::pwrite(image.file(), &[1], 0).is_err());
    assert!(rustix::fs::ftruncate(image.file(), 0).is_err());
}

#[test]
fn an_empty_image_has_one_page() {
    assert_eq!(MemoryImage::new(&[]).unwrap().len(), page_size());
}

#[test]
fn images_go_between_threads() {
    fn check<T: Send + Sync>() {}
    check::<MemoryImage>();
}
