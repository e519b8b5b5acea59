//! Waiting for descriptors and clocks, as `poll_oneoff` does.
//!
//! 1. [`Waiting::sort`] answers at once what needs no wait: streams in memory, and descriptors that
//!    are closed or lack the right. The rest becomes host descriptors and deadlines.
//! 2. [`Waiting::wait`] sleeps in the host's `poll` until a descriptor is ready or the nearest
//!    deadline has passed. A clock that is not the host's skips the time instead.
//! 3. All that is ready by then is reported, in the order of the subscriptions.

use crate::clock::{Clock, ClockId};
use crate::errno::Errno;
use crate::file::HostFile;
use crate::rights::Rights;
use crate::table::{FdTable, Object};
use crate::types::{Event, FileType};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::{AsFd, BorrowedFd};

/// What a guest waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subscription {
    pub(crate) userdata: u64,
    pub(crate) what: What,
}

/// The kinds of [`Subscription`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// A time in nanoseconds: of the clock if `absolute`, else from now.
    Clock {
        id: ClockId,
        timeout: u64,
        absolute: bool,
    },
    Read {
        fd: u32,
    },
    Write {
        fd: u32,
    },
}

impl Subscription {
    /// The answer to this subscription.
    fn event(&self, error: Option<Errno>) -> Event {
        let kind = match self.what {
            What::Clock { .. } => 0,
            What::Read { .. } => 1,
            What::Write { .. } => 2,
        };
        Event { userdata: self.userdata, error, kind, nbytes: 0, hangup: false }
    }
}

/// A descriptor that the host is asked about.
struct HostWait<'t> {
    index: usize,
    fd: BorrowedFd<'t>,
    direction: PollFlags,
    /// The file, to count what can be read.
    file: Option<(&'t HostFile, FileType)>,
}

/// A moment that is waited for.
struct Deadline {
    index: usize,
    clock: ClockId,
    time: u64,
}

/// The subscriptions of one call, sorted by how they are answered.
struct Waiting<'t> {
    events: Vec<Option<Event>>,
    hosts: Vec<HostWait<'t>>,
    deadlines: Vec<Deadline>,
}

/// Waits until at least one subscription has an answer and returns all answers there are.
pub(crate) fn wait(table: &FdTable, clock: &mut Clock, subscriptions: &[Subscription]) -> Result<Vec<Event>, Errno> {
    let mut waiting = Waiting::sort(table, clock, subscriptions)?;
    waiting.wait(clock, subscriptions)?;
    Ok(waiting.events.into_iter().flatten().collect())
}

impl<'t> Waiting<'t> {
    fn sort(table: &'t FdTable, clock: &Clock, subscriptions: &[Subscription]) -> Result<Waiting<'t>, Errno> {
        let mut waiting = Waiting { events: vec![None; subscriptions.len()], hosts: Vec::new(), deadlines: Vec::new() };
        for (index, subscription) in subscriptions.iter().enumerate() {
            let answer = match subscription.what {
                What::Clock { id: ClockId::ProcessCpu | ClockId::ThreadCpu, .. } => Some(Some(Errno::NotSup)),
                What::Clock { id, timeout, absolute } => {
                    let from = if absolute { 0 } else { clock.peek(id)? };
                    let time = from.saturating_add(timeout);
                    waiting.deadlines.push(Deadline { index, clock: id, time });
                    None
                }
                What::Read { fd } => waiting.sort_fd(table, index, fd, PollFlags::IN),
                What::Write { fd } => waiting.sort_fd(table, index, fd, PollFlags::OUT),
            };
            waiting.events[index] = answer.map(|error| subscription.event(error));
        }
        Ok(waiting)
    }

    /// Some answer (an error or none) if the descriptor needs no wait.
    fn sort_fd(&mut self, table: &'t FdTable, index: usize, fd: u32, direction: PollFlags) -> Option<Option<Errno>> {
        let descriptor = match table.get(fd) {
            Ok(descriptor) => descriptor,
            Err(error) => return Some(Some(error)),
        };
        if let Err(error) = descriptor.require(Rights::POLL_FD_READWRITE) {
            return Some(Some(error));
        }
        let (fd, file) = match &descriptor.object {
            Object::Input(_) if direction == PollFlags::IN => return Some(None),
            Object::Output(_) if direction == PollFlags::OUT => return Some(None),
            Object::Input(_) | Object::Output(_) => return Some(Some(Errno::Badf)),
            Object::Dir(dir) => (dir.as_fd(), None),
            Object::File(file) => (file.as_fd(), Some((file, descriptor.filetype))),
        };
        self.hosts.push(HostWait { index, fd, direction, file });
        None
    }

    fn wait(&mut self, clock: &mut Clock, subscriptions: &[Subscription]) -> Result<(), Errno> {
        let mut fds: Vec<PollFd<'t>> =
            self.hosts.iter().map(|host| PollFd::from_borrowed_fd(host.fd, host.direction)).collect();
        let mut answered = self.events.iter().any(Option::is_some);
        loop {
            let nearest = if answered { Some(0) } else { self.nearest(clock)? };
            let virtual_time = matches!(clock, Clock::Deterministic(_)) && nearest.is_some();
            let timeout = if virtual_time { Some(0) } else { nearest };
            let ready = match poll(&mut fds, timeout.map(timespec).as_ref()) {
                Ok(ready) => ready,
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            if virtual_time && ready == 0 && !answered {
                clock.skip(nearest.unwrap_or(0));
            }
            for (host, fd) in self.hosts.iter().zip(&fds) {
                let found = fd.revents();
                if !found.is_empty() {
                    self.events[host.index] = Some(host.event(&subscriptions[host.index], found));
                    answered = true;
                }
            }
            for deadline in &self.deadlines {
                if clock.peek(deadline.clock)? >= deadline.time {
                    self.events[deadline.index] = Some(subscriptions[deadline.index].event(None));
                    answered = true;
                }
            }
            if answered {
                return Ok(());
            }
        }
    }

    /// Nanoseconds until the first deadline, if there is any.
    fn nearest(&self, clock: &Clock) -> Result<Option<u64>, Errno> {
        let mut nearest = None;
        for deadline in &self.deadlines {
            let left = deadline.time.saturating_sub(clock.peek(deadline.clock)?);
            nearest = Some(nearest.map_or(left, |nearest: u64| nearest.min(left)));
        }
        Ok(nearest)
    }
}

impl HostWait<'_> {
    fn event(&self, subscription: &Subscription, found: PollFlags) -> Event {
        let error = found.contains(PollFlags::NVAL).then_some(Errno::Badf);
        let mut event = subscription.event(error);
        event.hangup = found.intersects(PollFlags::HUP | PollFlags::ERR);
        if error.is_none() && self.direction == PollFlags::IN {
            event.nbytes = self.file.map_or(0, |(file, filetype)| available(file, filetype));
        }
        event
    }
}

/// How many bytes a read would give now, as far as the host can tell.
fn available(file: &HostFile, filetype: FileType) -> u64 {
    if filetype == FileType::RegularFile {
        let size = rustix::fs::fstat(file).map_or(0, |stat| stat.st_size);
        let position = rustix::fs::tell(file).unwrap_or(0);
        return u64::try_from(size).unwrap_or(0).saturating_sub(position);
    }
    rustix::io::ioctl_fionread(file).unwrap_or(0)
}

fn timespec(nanoseconds: u64) -> Timespec {
    // Both fit: the seconds of a u64 are below 2^35, the rest is below 10^9.
    let seconds = i64::try_from(nanoseconds / 1_000_000_000).unwrap_or(i64::MAX);
    let rest = i64::try_from(nanoseconds % 1_000_000_000).unwrap_or(0);
    Timespec { tv_sec: seconds, tv_nsec: rest }
}
