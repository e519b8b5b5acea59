//! `Retired`: code that nothing leads to any more, and that stacks may still hold.

use std::collections::HashSet;
use std::sync::Arc;

use wasm::heap;

use crate::code::Code;

/// A moment: whatever else is retired comes either before it or after.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Mark(u64);

impl Mark {
    /// Moves on by one retirement, and gives the moment of that.
    pub(crate) fn step(&mut self) -> Mark {
        let now = *self;
        self.0 += 1;
        now
    }
}

/// Retired code, in the order of its retirement.
#[derive(Debug, Default)]
pub(crate) struct Retired {
    codes: Vec<(Mark, Arc<Code>)>,
    now: Mark,
}

impl Retired {
    pub(crate) fn push(&mut self, code: Arc<Code>) {
        self.codes.push((self.now.step(), code));
    }

    /// What the list takes, in bytes, without the code.
    pub(crate) fn heap_bytes(&self) -> usize {
        heap::vec(&self.codes)
    }

    /// What is in the list, in its order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Code>> {
        self.codes.iter().map(|(_, code)| code)
    }

    /// Now: between what is in the list, or was, and what will come.
    pub(crate) fn now(&self) -> Mark {
        self.now
    }

    /// Takes out what was retired before `mark` and is none of `live`, which holds addresses of code objects.
    pub(crate) fn take(&mut self, mark: Mark, live: &HashSet<usize>) -> Vec<Arc<Code>> {
        let is_free = |(when, code): &mut (Mark, Arc<Code>)| *when < mark && !live.contains(&address(code));
        self.codes.extract_if(.., is_free).map(|(_, code)| code).collect()
    }
}

/// By which stacks' reports name a code object.
pub(crate) fn address(code: &Arc<Code>) -> usize {
    Arc::as_ptr(code).addr()
}
