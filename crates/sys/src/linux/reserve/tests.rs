//! Tests of reservations: states of pages, images, and that nothing is left behind.

use super::Reservation;
use crate::image::MemoryImage;
use crate::linux::child::in_child;
use crate::pages::page_size;
use crate::process::mapping_count;

/// Reads one byte of a reservation whose page is accessible.
fn get(reservation: &Reservation, offset: usize) -> u8 {
    assert!(offset < reservation.len());
    // SAFETY: inside the reservation; the tests read committed or image pages only, and no other thread has the address.
    unsafe { reservation.as_ptr().add(offset).read_volatile() }
}

/// Writes one byte of a reservation whose page is accessible.
fn set(reservation: &Reservation, offset: usize, value: u8) {
    assert!(offset < reservation.len());
    // SAFETY: as in `get`.
    unsafe { reservation.as_ptr().add(offset).write_volatile(value) }
}

#[test]
fn committed_pages_are_zero_and_keep_what_is_written() {
    let page = page_size();
    let reservation = Reservation::new(16 * page).unwrap();
    reservation.commit(0, 2 * page).unwrap();
    assert_eq!(get(&reservation, 0), 0);
    set(&reservation, 2 * page - 1, 7);
    reservation.commit(0, 4 * page).unwrap();
    assert_eq!(get(&reservation, 2 * page - 1), 7);
    assert_eq!(get(&reservation, 4 * page - 1), 0);
}

#[test]
fn length_is_rounded_up_and_never_zero() {
    assert_eq!(Reservation::new(1).unwrap().len(), page_size());
    assert_eq!(Reservation::new(0).unwrap().len(), page_size());
    assert!(Reservation::new(usize::MAX).is_err());
    assert!(Reservation::new(1 << 62).is_err());
}

#[test]
fn contains_tells_inside_from_outside() {
    let reservation = Reservation::new(page_size()).unwrap();
    let base = reservation.as_ptr() as usize;
    assert!(reservation.contains(base) && reservation.contains(base + page_size() - 1));
    assert!(!reservation.contains(base + page_size()) && !reservation.contains(base - 1));
}

#[test]
fn decommit_and_reset_give_zeros() {
    let page = page_size();
    let reservation = Reservation::new(4 * page).unwrap();
    reservation.commit(0, 4 * page).unwrap();
    for offset in [0, page, 2 * page, 3 * page] {
        set(&reservation, offset, 9);
    }
    reservation.decommit(page, page).unwrap();
    reservation.commit(page, page).unwrap();
    reservation.reset(2 * page, page).unwrap();
    let bytes = [0, page, 2 * page, 3 * page].map(|offset| get(&reservation, offset));
    assert_eq!(bytes, [9, 0, 0, 9]);
}

#[test]
fn ranges_outside_or_unaligned_are_refused() {
    let page = page_size();
    let reservation = Reservation::new(4 * page).unwrap();
    let bad = [
        (0, 5 * page),
        (4 * page, page),
        (1, page),
        (0, 1),
        (page, usize::MAX & !(page - 1)),
        (usize::MAX & !(page - 1), page),
    ];
    for (offset, len) in bad {
        assert!(reservation.commit(offset, len).is_err());
        assert!(reservation.decommit(offset, len).is_err());
        assert!(reservation.reset(offset, len).is_err());
        assert!(reservation.remove_image(offset, len).is_err());
    }
    reservation.commit(4 * page, 0).unwrap();
}

#[test]
fn an_image_is_copied_on_write_and_can_be_reset_and_removed() {
    let page = page_size();
    let contents = vec![5_u8; 2 * page + 10];
    let image = MemoryImage::new(&contents).unwrap();
    assert_eq!(image.len(), 3 * page);
    let [a, b] = [0, 1].map(|_| Reservation::new(8 * page).unwrap());
    a.map_image(page, &image, 0..contents.len()).unwrap();
    b.map_image(0, &image, page..2 * page).unwrap();
    assert_eq!(get(&a, 3 * page + 9), 5);
    assert_eq!(get(&a, 3 * page + 10), 0);
    set(&a, 2 * page, 6);
    assert_eq!(get(&b, 0), 5);
    a.reset(page, 3 * page).unwrap();
    assert_eq!(get(&a, 2 * page), 5);
    a.remove_image(page, 3 * page).unwrap();
    assert_eq!(get(&a, 2 * page), 0);
    drop(image);
    assert_eq!(get(&b, page - 1), 5);
}

#[test]
fn image_ranges_outside_or_unaligned_are_refused() {
    let page = page_size();
    let image = MemoryImage::new(&[1; 10]).unwrap();
    let reservation = Reservation::new(2 * page).unwrap();
    assert!(reservation.map_image(1, &image, 0..10).is_err());
    assert!(reservation.map_image(2 * page, &image, 0..10).is_err());
    assert!(reservation.map_image(0, &image, 1..10).is_err());
    assert!(reservation.map_image(0, &image, 0..page + 1).is_err());
    #[expect(clippy::reversed_empty_ranges, reason = "that is what is tested")]
    let reversed = 5..0;
    assert!(reservation.map_image(0, &image, reversed).is_err());
    reservation.map_image(0, &image, 0..0).unwrap();
}

#[test]
fn a_thousand_large_reservations_leave_nothing_behind() {
    // In a process of its own: other tests map and unmap at the same time.
    in_child("linux::reserve::tests::a_thousand_large_reservations_leave_nothing_behind", || {
        let before = mapping_count().unwrap();
        let mut all = Vec::with_capacity(1000);
        for _ in 0..1000 {
            let reservation = Reservation::new(4 << 30).unwrap();
            reservation.commit(0, page_size()).unwrap();
            set(&reservation, 0, 1);
            all.push(reservation);
        }
        assert!(mapping_count().unwrap() >= before + 1000);
        drop(all);
        assert_eq!(mapping_count().unwrap(), before);
    });
}
