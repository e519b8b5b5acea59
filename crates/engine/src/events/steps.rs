//! The steps of protocols that events tell of: of a stream at the module cache, of a collection of code.

use super::kind::FieldValue;

/// What became of a stream at the module cache.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StreamStep {
    /// It owns its prefix, the module up to its code: it works on bodies while they arrive, and other streams with the
    /// prefix do not.
    Own,
    /// There is a module with its prefix, or one is under way: its bytes are collected, and looked up when all are there.
    Collect,
    /// It ended before its module did, and has given back what it had.
    Abort,
}

impl StreamStep {
    /// A word for traces and metrics.
    pub fn name(self) -> &'static str {
        match self {
            StreamStep::Own => "own",
            StreamStep::Collect => "collect",
            StreamStep::Abort => "abort",
        }
    }
}

/// A step of a collection of code, between its beginning and what it frees.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CodeGcStep {
    /// It begins: this is what nothing leads to any more. On the thread that asked for it, or that ended the one before.
    Begin {
        /// Code objects.
        candidates: usize,
        /// Bytes of machine code of those.
        candidate_bytes: usize,
    },
    /// The store of the event has said which code its stacks hold, or it was said for it. Of stores without code on their
    /// stacks this is told as well.
    Answer(Answer),
    /// All stores have been asked, and so many had not answered then: they ran on other threads, and had been interrupted.
    Wait {
        /// Stores.
        stores: usize,
    },
    /// Another collection is wanted: one will follow this one, however often that is said.
    Remember,
}

impl CodeGcStep {
    /// Calls `each` with the name and value of every field.
    pub(super) fn each_field(&self, each: &mut impl FnMut(&'static str, FieldValue)) {
        match *self {
            CodeGcStep::Begin { candidates, candidate_bytes } => {
                each("candidates", candidates.into());
                each("candidate_bytes", candidate_bytes.into());
            }
            CodeGcStep::Answer(answer) => each("answer", answer.name().into()),
            CodeGcStep::Wait { stores } => each("stores", stores.into()),
            CodeGcStep::Remember => {}
        }
    }
}

/// By whom, and when, a store's stacks were looked at.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Answer {
    /// By the thread that asked: no Wasm of the store was active.
    Idle,
    /// By the thread that asked: the store was in a host function.
    InHost,
    /// By the thread that asked, which is that of the store, in the middle of a compilation, for instance.
    Asking,
    /// By the store's thread, which was interrupted at the entry of a function or in a loop.
    Interrupted,
    /// By the store's thread, as it began a call, or called a host function or came back from one.
    Crossing,
    /// By the store's thread, as a call returned.
    Leaving,
    /// By the store's thread, while it waited for a collection of its own.
    Waiting,
    /// By the store, as it died.
    Dying,
}

impl From<runtime::stores::Answer> for Answer {
    fn from(answer: runtime::stores::Answer) -> Answer {
        use runtime::stores::Answer as Given;
        match answer {
            Given::Idle => Answer::Idle,
            Given::InHost => Answer::InHost,
            Given::Asking => Answer::Asking,
            Given::Interrupted => Answer::Interrupted,
            Given::Crossing => Answer::Crossing,
            Given::Leaving => Answer::Leaving,
            Given::Waiting => Answer::Waiting,
            Given::Dying => Answer::Dying,
        }
    }
}

impl Answer {
    /// A few words for traces.
    pub fn name(self) -> &'static str {
        match self {
            Answer::Idle => "idle",
            Answer::InHost => "in the host",
            Answer::Asking => "asking",
            Answer::Interrupted => "interrupted",
            Answer::Crossing => "crossing",
            Answer::Leaving => "leaving",
            Answer::Waiting => "waiting",
            Answer::Dying => "dying",
        }
    }
}
