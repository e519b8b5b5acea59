//! The guest's linear memory for the length of one host call: every access is checked.

use crate::errno::Errno;
use std::io::{IoSlice, IoSliceMut};
use std::ops::Range;

/// The most buffers handed to the host at once, Linux's `UIO_MAXIOV`; a longer list is served in part.
const MAX_BUFFERS: u32 = 1024;
/// Lists up to this long are gathered on the stack.
const FEW: usize = 4;

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

    /// The range of buffer `i` of a list of `iovec` or `ciovec` records (pointer and length, 8 bytes).
    fn buffer(&self, list: u32, i: u32) -> Result<Range<usize>, Errno> {
        let at = i.checked_mul(8).and_then(|skip| list.checked_add(skip)).ok_or(Errno::Fault)?;
        let record = u64::from_le_bytes(self.array(at)?);
        // The low half is the pointer, the high half the length.
        self.range(record as u32, (record >> 32) as u32)
    }

    /// The ranges of a whole list, without the empty ones.
    fn buffers(&self, list: u32, count: u32) -> Result<Vec<Range<usize>>, Errno> {
        self.check(list, count.checked_mul(8).ok_or(Errno::Fault)?)?;
        let mut ranges = Vec::with_capacity(count.min(MAX_BUFFERS) as usize);
        for i in 0..count.min(MAX_BUFFERS) {
            let range = self.buffer(list, i)?;
            if !range.is_empty() {
                ranges.push(range);
            }
        }
        Ok(ranges)
    }

    /// Runs `use_buffers` on the buffers of a `ciovec` list, in place. Short lists, the usual ones,
    /// take no allocation.
    pub(crate) fn gather<R>(
        &self,
        list: u32,
        count: u32,
        use_buffers: impl FnOnce(&[IoSlice<'_>]) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        let mut few = [IoSlice::new(&[]); FEW];
        if let Some(few) = few.get_mut(..count as usize) {
            for (slot, i) in few.iter_mut().zip(0..) {
                *slot = IoSlice::new(&self.bytes[self.buffer(list, i)?]);
            }
            return use_buffers(few);
        }
        let slices: Vec<_> = self.buffers(list, count)?.into_iter().map(|r| IoSlice::new(&self.bytes[r])).collect();
        use_buffers(&slices)
    }

    /// Runs `use_buffers` on the buffers of an `iovec` list, in place. Buffers that overlap cannot all
    /// be lent out: the list then ends before the first that touches an earlier one, which makes the
    /// read short.
    pub(crate) fn scatter<R>(
        &mut self,
        list: u32,
        count: u32,
        use_buffers: impl FnOnce(&mut [IoSliceMut<'_>]) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        // One buffer or two are the usual lists.
        if count == 1 {
            let range = self.buffer(list, 0)?;
            return use_buffers(&mut [IoSliceMut::new(&mut self.bytes[range])]);
        }
        if count == 2 {
            let ranges = [self.buffer(list, 0)?, self.buffer(list, 1)?];
            if let Ok(pieces) = self.bytes.get_disjoint_mut(ranges) {
                return use_buffers(&mut pieces.map(IoSliceMut::new));
            }
        }
        let mut ranges = self.buffers(list, count)?;
        ranges.truncate(disjoint_prefix(&ranges));
        use_buffers(&mut self.cut(&ranges)?)
    }

    /// Cuts the memory at ranges that do not overlap: from low to high, and then the pieces are put
    /// back in the given order.
    fn cut(&mut self, ranges: &[Range<usize>]) -> Result<Vec<IoSliceMut<'_>>, Errno> {
        let mut by_address: Vec<usize> = (0..ranges.len()).collect();
        by_address.sort_unstable_by_key(|&i| ranges[i].start);
        let mut pieces: Vec<Option<&mut [u8]>> = ranges.iter().map(|_| None).collect();
        let mut rest: &mut [u8] = self.bytes;
        let mut rest_start = 0;
        for i in by_address {
            let range = &ranges[i];
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
