//! What one job may take: time and memory, watched while a body is translated, and estimated before Cranelift gets it.
//!
//! Cranelift cannot be interrupted, and for some code it takes more than linear time. So a job is refused when the
//! estimate is beyond its budget. The estimate is made of what was measured over the functions of large programs, for which
//! it is one to four times what they take, and over code written to be slow, where it may be half of that:
//! - each *point* (an instruction, a block parameter, an argument of a branch, an entry of a jump table) takes its time;
//! - so does each value of the frontend, even one that is gone by now: many locals times many merges;
//! - the register allocator suffers from values that live long: the sum of all spans from definition to last use, in
//!   points, over what is usual;
//! - it suffers, too, from blocks with more parameters than there are registers: from the square of all that are too many;
//! - and loop analysis from deep nests of loops: for each loop, the loops around it.

use std::time::Duration;

use abi::compiler::Budget;
use cranelift_codegen::ir::{Function, Value};

use crate::translate::{TranslateError, Translated};

#[cfg(test)]
mod tests;

/// Operators between two looks at the clock.
const INTERVAL: u32 = 256;

/// Nanoseconds for a point, and for an entry of a jump table.
const POINT: u64 = 2500;
/// Nanoseconds for a value.
const VALUE: u64 = 250;
/// Nanoseconds for a point of a value's span.
const SPAN: u64 = 16;
/// Values that are live at once, on average, in code of the usual kind.
const USUAL_PRESSURE: u64 = 300;
/// Parameters of a block that find a register.
const REGISTERS: u64 = 16;
/// Nanoseconds for each two parameters beyond.
const CROWD: u64 = 1;
/// Nanoseconds for a loop around a loop.
const NEST: u64 = 12;

/// Bytes for a point.
const POINT_BYTES: u64 = 1000;
/// Bytes for a value.
const VALUE_BYTES: u64 = 40;

/// Watches one job.
#[derive(Debug)]
pub(crate) struct Meter {
    budget: Option<Budget>,
    /// What the thread had taken when the job began.
    start: Duration,
    /// Operators until the next look.
    left: u32,
    /// Open loops.
    loops: u64,
    /// For each loop so far, the loops around it.
    nest: u64,
    /// Entries of jump tables so far.
    entries: u64,
}

/// What Cranelift will take for a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Estimate {
    pub(crate) points: u64,
    pub(crate) time: Duration,
    pub(crate) memory: u64,
}

impl Meter {
    /// Starts the clock.
    pub(crate) fn new(budget: Option<Budget>) -> Meter {
        let start = budget.map_or(Duration::ZERO, |budget| (budget.clock)());
        Meter { budget, start, left: INTERVAL, loops: 0, nest: 0, entries: 0 }
    }

    /// Counts an operator, and now and then looks whether the job goes on.
    ///
    /// # Errors
    /// When the budget is spent.
    #[inline]
    pub(crate) fn tick(&mut self, func: &Function) -> Translated {
        self.left -= 1;
        if self.left == 0 {
            self.left = INTERVAL;
            return self.look(func);
        }
        Ok(())
    }

    fn look(&self, func: &Function) -> Translated {
        let Some(budget) = &self.budget else { return Ok(()) };
        // Until the end of the body, the least that Cranelift will take.
        let (values, points) = (func.dfg.num_values() as u64, func.dfg.num_insts() as u64 + self.entries);
        let time = Duration::from_nanos(values * VALUE + points * POINT + self.nest.saturating_mul(NEST));
        let memory = values * VALUE_BYTES + points * POINT_BYTES;
        self.compare(budget, Estimate { points, time, memory })
    }

    /// Notes that a loop opens.
    pub(crate) fn enter_loop(&mut self) {
        self.loops += 1;
        self.nest += self.loops;
    }

    /// Notes that a loop closes.
    pub(crate) fn leave_loop(&mut self) {
        self.loops -= 1;
    }

    /// Notes the entries of a jump table.
    pub(crate) fn add_entries(&mut self, entries: usize) {
        self.entries += entries as u64;
    }

    /// To be called when the body is translated.
    ///
    /// # Errors
    /// When the budget is spent, or compiling would pass it.
    pub(crate) fn check_estimate(&self, func: &Function) -> Translated {
        match &self.budget {
            Some(budget) => self.compare(budget, self.estimate(func)),
            None => Ok(()),
        }
    }

    fn compare(&self, budget: &Budget, estimate: Estimate) -> Translated {
        let Estimate { points, time, memory } = estimate;
        let spent = (budget.clock)().saturating_sub(self.start);
        if spent > budget.time {
            return Err(TranslateError::budget(format!("translation alone took {spent:?}, of {:?}", budget.time)));
        }
        if spent + time > budget.time {
            let message = format!("it would take {time:?} or more for {points} points, and has {:?}", budget.time);
            return Err(TranslateError::budget(message));
        }
        if memory > budget.memory as u64 {
            let message = format!(
                "it would take {memory} bytes of memory or more for {points} points, and has {}",
                budget.memory
            );
            return Err(TranslateError::budget(message));
        }
        Ok(())
    }

    /// What Cranelift will take for a function that is translated.
    pub(crate) fn estimate(&self, func: &Function) -> Estimate {
        let mut spans = Spans { spans: vec![NO_SPAN; func.dfg.num_values()], at: 0 };
        let mut crowd = 0u64;
        for block in func.layout.blocks() {
            crowd += (func.dfg.num_block_params(block) as u64).saturating_sub(REGISTERS);
            for &param in func.dfg.block_params(block) {
                spans.touch(func, param);
            }
            for inst in func.layout.block_insts(block) {
                spans.at += 1;
                for value in func.dfg.inst_values(inst) {
                    spans.touch(func, value);
                }
                let tables = (&func.dfg.jump_tables, &func.dfg.exception_tables);
                for target in func.dfg.insts[inst].branch_destination(tables.0, tables.1) {
                    // Once for the argument, and once for the parameter.
                    spans.at += 2 * target.len(&func.dfg.value_lists) as u64;
                }
                for &result in func.dfg.inst_results(inst) {
                    spans.touch(func, result);
                }
            }
        }
        let points = spans.at + self.entries;
        let long = spans.sum().saturating_sub(points.saturating_mul(USUAL_PRESSURE));
        let values = func.dfg.num_values() as u64;
        let crowd = crowd.saturating_mul(crowd);
        let terms = [(points, POINT), (values, VALUE), (long, SPAN), (crowd, CROWD), (self.nest, NEST)];
        let nanos = terms.iter().fold(0u64, |sum, &(count, each)| sum.saturating_add(count.saturating_mul(each)));
        Estimate {
            points,
            time: Duration::from_nanos(nanos),
            memory: points.saturating_mul(POINT_BYTES).saturating_add(values.saturating_mul(VALUE_BYTES)),
        }
    }
}

/// First and last point of a value that has none yet.
const NO_SPAN: (u64, u64) = (u64::MAX, 0);

struct Spans {
    /// First and last point of each value.
    spans: Vec<(u64, u64)>,
    /// The point at hand.
    at: u64,
}

impl Spans {
    fn touch(&mut self, func: &Function, value: Value) {
        let value = func.dfg.resolve_aliases(value);
        if let Some((first, last)) = self.spans.get_mut(value.as_u32() as usize) {
            *first = (*first).min(self.at);
            *last = (*last).max(self.at);
        }
    }

    fn sum(&self) -> u64 {
        self.spans.iter().map(|&(first, last)| last.saturating_sub(first)).sum()
    }
}
