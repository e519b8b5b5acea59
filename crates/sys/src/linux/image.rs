//! `MemoryImage`: the initial contents of a linear memory, held once and mapped copy-on-write into many.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::io::{Errno, pwrite};

use crate::pages::{mapping_len, page_size};

#[cfg(test)]
mod tests;

/// An immutable, page-aligned run of bytes in an anonymous file. Share it by `Arc`; views of it made by
/// [`Reservation::map_image`](crate::reserve::Reservation::map_image) stay valid after it is dropped.
#[derive(Debug)]
pub struct MemoryImage {
    file: OwnedFd,
    len: usize,
}

impl MemoryImage {
    /// Copies `contents` into a new image, padded with zeros to a whole page (at least one). Pages that hold only zeros
    /// take no memory.
    ///
    /// # Errors
    /// What the kernel says: out of memory, or too many open files.
    pub fn new(contents: &[u8]) -> io::Result<Self> {
        let len = mapping_len(contents.len())?;
        let file = create_file()?;
        ftruncate(&file, len as u64)?;
        for (page, chunk) in contents.chunks(page_size()).enumerate() {
            if chunk.iter().any(|&byte| byte != 0) {
                write_all(&file, chunk, (page * page_size()) as u64)?;
            }
        }
        // Sealed, so that no holder of the descriptor can change or shorten what memories rely on.
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
        fcntl_add_seals(&file, seals)?;
        Ok(Self { file, len })
    }

    /// Bytes in the image, a multiple of the page size and never 0.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "an image is never empty")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The file behind the image.
    pub(crate) fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// An anonymous file that accepts seals and, where the kernel knows the flag (6.3), can never become executable.
fn create_file() -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    match memfd_create("upshift-image", flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => Ok(memfd_create("upshift-image", flags)?),
        file => Ok(file?),
    }
}

/// Writes all of `bytes` at `offset`, through short writes and interruptions.
fn write_all(file: &OwnedFd, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match pwrite(file, bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                offset += written as u64;
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
