//! Page size, page rounding, and the range check that every call on mapped memory passes first.

use std::io;
use std::ops::Range;

/// The size in bytes of a page of this process; a power of two. Read once from the auxiliary vector, then cached.
#[inline]
pub fn page_size() -> usize {
    rustix::param::page_size()
}

/// `bytes` rounded up to whole pages, or `None` when that does not fit in a `usize`.
#[inline]
pub fn round_up_to_page(bytes: usize) -> Option<usize> {
    bytes.checked_next_multiple_of(page_size())
}

/// `bytes` rounded up to whole pages and to at least one, as an [`io::Error`] when the address space has no room for it.
pub(crate) fn mapping_len(bytes: usize) -> io::Result<usize> {
    round_up_to_page(bytes.max(1))
        .filter(|&len| isize::try_from(len).is_ok())
        .ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

/// Checks that `offset..offset + len` lies inside `total` bytes.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] when it does not, or when the end overflows.
pub(crate) fn check_range(offset: usize, len: usize, total: usize) -> io::Result<Range<usize>> {
    match offset.checked_add(len) {
        Some(end) if end <= total => Ok(offset..end),
        _ => Err(invalid("the range lies outside the mapping")),
    }
}

/// [`check_range`], and both ends must be page-aligned.
pub(crate) fn check_page_range(offset: usize, len: usize, total: usize) -> io::Result<Range<usize>> {
    let range = check_range(offset, len, total)?;
    let mask = page_size() - 1;
    if (range.start | range.end) & mask != 0 {
        return Err(invalid("the range is not page-aligned"));
    }
    Ok(range)
}

/// An [`io::ErrorKind::InvalidInput`] error that says `why`.
pub(crate) fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
