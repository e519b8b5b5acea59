//! The table of descriptors: what a guest's small numbers stand for.

use crate::dir::Dir;
use crate::errno::Errno;
use crate::file::HostFile;
use crate::rights::Rights;
use crate::stdio::{InputStream, OutputStream};
use crate::types::{FdFlags, FdStat, FileType};
use std::collections::BTreeSet;

/// The most descriptors one guest may hold; past that is `mfile`.
const MAX_DESCRIPTORS: usize = 1 << 20;

/// What a descriptor stands for.
pub(crate) enum Object {
    Dir(Dir),
    File(HostFile),
    Input(Box<dyn InputStream>),
    Output(Box<dyn OutputStream>),
}

/// One open descriptor.
pub(crate) struct Descriptor {
    pub(crate) object: Object,
    pub(crate) filetype: FileType,
    /// What may be done with it. A guest can only shrink this.
    pub(crate) base: Rights,
    /// What may be done with what is opened through it. A guest can only shrink this.
    pub(crate) inheriting: Rights,
    /// Set by the embedder and inherited: nothing below may be changed, whatever the rights say.
    pub(crate) read_only: bool,
    /// The guest's name of a directory that was open from the start.
    pub(crate) preopen: Option<String>,
    /// The flags of a stream in memory, which has no use for them.
    stream_flags: FdFlags,
}

impl Descriptor {
    pub(crate) fn new(object: Object, filetype: FileType, base: Rights, inheriting: Rights) -> Descriptor {
        Descriptor { object, filetype, base, inheriting, read_only: false, preopen: None, stream_flags: FdFlags::EMPTY }
    }

    pub(crate) fn input(stream: Box<dyn InputStream>) -> Descriptor {
        let rights = Rights::STREAM & !Rights::FD_WRITE;
        Descriptor::new(Object::Input(stream), FileType::Unknown, rights, Rights::NONE)
    }

    pub(crate) fn output(stream: Box<dyn OutputStream>) -> Descriptor {
        let rights = Rights::STREAM & !Rights::FD_READ;
        Descriptor::new(Object::Output(stream), FileType::Unknown, rights, Rights::NONE)
    }

    /// A host file that was open from the start, without the rights `except`.
    pub(crate) fn host(file: HostFile, except: Rights) -> Descriptor {
        let (filetype, rights) = file.classify();
        Descriptor::new(Object::File(file), filetype, rights & !except, Rights::NONE)
    }

    pub(crate) fn flags(&self) -> FdFlags {
        match &self.object {
            Object::File(file) => file.flags,
            Object::Dir(_) => FdFlags::EMPTY,
            Object::Input(_) | Object::Output(_) => self.stream_flags,
        }
    }

    pub(crate) fn set_flags(&mut self, flags: FdFlags) -> Result<(), Errno> {
        match &mut self.object {
            Object::File(file) => file.set_flags(flags),
            Object::Dir(_) if flags == FdFlags::EMPTY => Ok(()),
            Object::Dir(_) => Err(Errno::Inval),
            Object::Input(_) | Object::Output(_) => {
                self.stream_flags = flags;
                Ok(())
            }
        }
    }

    pub(crate) fn fdstat(&self) -> FdStat {
        FdStat { filetype: self.filetype, flags: self.flags(), base: self.base, inheriting: self.inheriting }
    }

    /// `notcapable` unless every right in `rights` is held.
    pub(crate) fn require(&self, rights: Rights) -> Result<(), Errno> {
        if self.base.contains(rights) {
            return Ok(());
        }
        // The host's own reason comes first: the guest did not shrink these rights itself.
        if self.read_only && (self.base | Rights::MUTATING).contains(rights) {
            return Err(Errno::Perm);
        }
        Err(Errno::NotCapable)
    }

    /// The directory behind this descriptor; `notdir` if it is something else, then `notcapable`
    /// if a right is missing.
    pub(crate) fn dir(&self, rights: Rights) -> Result<&Dir, Errno> {
        match &self.object {
            Object::Dir(dir) => {
                self.require(rights)?;
                Ok(dir)
            }
            Object::File(_) | Object::Input(_) | Object::Output(_) => Err(Errno::Notdir),
        }
    }

    /// The host file behind this descriptor. A directory is `badf`; a stream, in memory or on the
    /// host, that cannot have the rights by its nature is `unfit`; else a missing right is
    /// `notcapable`.
    pub(crate) fn file(&self, rights: Rights, unfit: Errno) -> Result<&HostFile, Errno> {
        match &self.object {
            Object::Dir(_) => Err(Errno::Badf),
            Object::Input(_) | Object::Output(_) => Err(unfit),
            Object::File(file) => {
                if self.filetype != FileType::RegularFile && !self.base.contains(rights) {
                    return Err(unfit);
                }
                self.require(rights)?;
                Ok(file)
            }
        }
    }
}

/// The descriptors of one guest. A new one takes the lowest number that is free.
#[derive(Default)]
pub(crate) struct FdTable {
    slots: Vec<Option<Descriptor>>,
    free: BTreeSet<u32>,
}

impl FdTable {
    pub(crate) fn push(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        if let Some(fd) = self.free.pop_first() {
            if let Some(slot) = self.slots.get_mut(fd as usize) {
                *slot = Some(descriptor);
            }
            return Ok(fd);
        }
        if self.slots.len() >= MAX_DESCRIPTORS {
            return Err(Errno::Mfile);
        }
        let fd = u32::try_from(self.slots.len()).map_err(|_| Errno::Mfile)?;
        self.slots.push(Some(descriptor));
        Ok(fd)
    }

    pub(crate) fn get(&self, fd: u32) -> Result<&Descriptor, Errno> {
        self.slots.get(fd as usize).and_then(Option::as_ref).ok_or(Errno::Badf)
    }

    pub(crate) fn get_mut(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        self.slots.get_mut(fd as usize).and_then(Option::as_mut).ok_or(Errno::Badf)
    }

    pub(crate) fn remove(&mut self, fd: u32) -> Result<Descriptor, Errno> {
        let slot = self.slots.get_mut(fd as usize).ok_or(Errno::Badf)?;
        let descriptor = slot.take().ok_or(Errno::Badf)?;
        self.free.insert(fd);
        Ok(descriptor)
    }

    /// Puts what `from` stands for in the place of `to`, which must be open too.
    pub(crate) fn renumber(&mut self, from: u32, to: u32) -> Result<(), Errno> {
        self.get(from)?;
        self.get(to)?;
        if from != to {
            let moved = self.remove(from)?;
            *self.get_mut(to)? = moved;
        }
        Ok(())
    }
}

/// The descriptors a guest starts with, numbered from 0.
impl FromIterator<Descriptor> for FdTable {
    fn from_iter<I: IntoIterator<Item = Descriptor>>(descriptors: I) -> FdTable {
        let slots = descriptors.into_iter().map(Some).collect();
        FdTable { slots, free: BTreeSet::new() }
    }
}

#[cfg(test)]
mod tests;
