//! The guest's linear memory for the length of one host call: every access is checked.

use crate::errno::Errno;
use std::io::{IoSlice, IoSliceMut};
use std::ops::Range;

/// The most buffers handed to the host at once, Linux's `UIO_MAXIOV`; a longer list is served in part.
const MAX_BUFFERS: u32 = 1024;

/// A guest's memory. Pointers and lengths are the guest's own and are believed only after a check;
/// one that leaves the memory is `fault`.
pub(crate) struct GuestMemory<'a> {
    bytes: &'a mut [u8],
}

impl<'a> GuestMemory<'a> {
    pub(crate) fn new(bytes: &'a mut [u8]) -> GuestMemory<'a> {
        GuestMemory { bytes }
    }

    fn range(&self, ptr: u32, len: u32) -> Result<Range<usize>, Errno> {
        let start = usize::try_from(ptr).map_err(|_| Errno::Fault)?;
        let len = usize::try_from(len).map_err(|_| Errno::Fault)?;
        let end = start.checked_add(len).ok_or(Errno::Fault)?;
        if end > self.bytes.len() { Err(Errno::Fault) } else { Ok(start..end) }
    }

    pub(crate) fn slice(&self, ptr: u32, len: u32) -> Result<&[u8], Errno> {
        let range = self.range(ptr, len)?;
        self.bytes.get(range).ok_or(Errno::Fault)
    }

    pub(crate) fn slice_mut(&mut self, ptr: u32, len: u32) -> Result<&mut [u8], Errno> {
        let range = self.range(ptr, len)?;
        self.bytes.get_mut(range).ok_or(Errno::Fault)
    }

    /// A string; `ilseq` unless it is UTF-8.
    pub(crate) fn str(&self, ptr: u32, len: u32) -> Result<&str, Errno> {
        std::str::from_utf8(self.slice(ptr, len)?).map_err(|_| Errno::Ilseq)
    }

    fn array<const N: usize>(&self, ptr: u32) -> Result<[u8; N], Errno> {
        let start = usize::try_from(ptr).map_err(|_| Errno::Fault)?;
        self.bytes.get(start..).and_then(|rest| rest.first_chunk()).copied().ok_or(Errno::Fault)
    }

    pub(crate) fn read_u32(&self, ptr: u32) -> Result<u32, Errno> {
        self.array(ptr).map(u32::from_le_bytes)
    }

    pub(crate) fn write(&mut self, ptr: u32, data: &[u8]) -> Result<(), Errno> {
        let len = u32::try_from(data.len()).map_err(|_| Errno::Overflow)?;
        self.slice_mut(ptr, len)?.copy_from_slice(data);
        Ok(())
    }

    pub(crate) fn write_u16(&mut self, ptr: u32, value: u16) -> Result<(), Errno> {
        self.write(ptr, &value.to_le_bytes())
    }

    pub(crate) fn write_u32(&mut self, ptr: u32, value: u32) -> Result<(), Errno> {
        self.write(ptr, &value.to_le_bytes())
    }

    pub(crate) fn write_u64(&mut self, ptr: u32, value: u64) -> Result<(), Errno> {
        self.write(ptr, &value.to_le_bytes())
    }

    /// Fails with `fault` unless `len` bytes can be written at `ptr`: asked before an effect that
    /// could not be undone.
    pub(crate) fn check(&self, ptr: u32, len: u32) -> Result<(), Errno> {
        self.range(ptr, len).map(drop)
    }

    /// The ranges of a list of `iovec` or `ciovec` records (pointer and length, 8 bytes), without
    /// the empty ones.
    fn buffers(&self, list: u32, count: u32) -> Result<Vec<Range<usize>>, Errno> {
        let bytes = count.checked_mul(8).ok_or(Errno::Fault)?;
        self.check(list, bytes)?;
        let count = count.min(MAX_BUFFERS);
        let mut ranges = Vec::with_capacity(count as usize);
        for i in 0..count {
            let at = list + i * 8;
            let range = self.range(self.read_u32(at)?, self.read_u32(at + 4)?)?;
            if !range.is_empty() {
                ranges.push(range);
            }
        }
        Ok(ranges)
    }

    /// The buffers of a `ciovec` list, in place.
    pub(crate) fn io_slices(&self, list: u32, count: u32) -> Result<Vec<IoSlice<'_>>, Errno> {
        let ranges = self.buffers(list, count)?;
        ranges.into_iter().map(|range| self.bytes.get(range).map(IoSlice::new).ok_or(Errno::Fault)).collect()
    }

    /// The buffers of an `iovec` list, in place. Buffers that overlap cannot all be lent out: the
    /// list then ends before the first that touches an earlier one, which makes the read short.
    pub(crate) fn io_slices_mut(&mut self, list: u32, count: u32) -> Result<Vec<IoSliceMut<'_>>, Errno> {
        let mut ranges = self.buffers(list, count)?;
        ranges.truncate(disjoint_prefix(&ranges));
        let mut by_address: Vec<usize> = (0..ranges.len()).collect();
        by_address.sort_unstable_by_key(|&i| ranges[i].start);

        // Cut the memory from low to high, then put the pieces back in the guest's order.
        let mut pieces: Vec<Option<&mut [u8]>> = (0..ranges.len()).map(|_| None).collect();
        let mut rest: &mut [u8] = self.bytes;
        let mut rest_start = 0;
        for i in by_address {
            let range = ranges[i].clone();
            let skip = range.start.checked_sub(rest_start).ok_or(Errno::Fault)?;
            let (_, tail) = rest.split_at_mut_checked(skip).ok_or(Errno::Fault)?;
            let (piece, tail) = tail.split_at_mut_checked(range.len()).ok_or(Errno::Fault)?;
            pieces[i] = Some(piece);
            rest = tail;
            rest_start = range.end;
        }
        Ok(pieces.into_iter().flatten().map(IoSliceMut::new).collect())
    }
}

/// How many of the first ranges do not touch one another.
fn disjoint_prefix(ranges: &[Range<usize>]) -> usize {
    ranges
        .iter()
        .enumerate()
        .position(|(i, range)| ranges[..i].iter().any(|before| before.start < range.end && range.start < before.end))
        .unwrap_or(ranges.len())
}

#[cfg(test)]
mod tests;
