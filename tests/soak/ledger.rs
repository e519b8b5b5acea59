//! What the process has when a round is over, and whether that grows.

use sys::process::trim_heap;

use crate::held::Held;

/// The books of a run, a line a round.
#[derive(Default)]
pub struct Ledger {
    rounds: Vec<Held>,
}

impl Ledger {
    /// A round is over, and everything in it has been dropped; `living` engines live all the same.
    pub fn close_round(&mut self, round: u32, living: usize) {
        // An engine whose last handle one of its own workers dropped leaves that worker to end by itself, a moment later.
        let most = self.rounds.iter().map(|held| held.threads).min().unwrap_or(usize::MAX);
        let mut held = Held::now();
        for _ in 0..200 {
            if held.threads <= most {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
            held = Held::now();
        }
        // What the allocator keeps of freed memory depends on which thread freed it when, and hides what is held.
        let kept = held.resident;
        trim_heap();
        let held = Held { resident: Held::now().resident, ..held };
        println!("  left: {held:?}; resident before the allocator was trimmed: {kept}");
        assert_eq!(living, 0, "engines that live after round {round}");
        self.rounds.push(held);
    }

    /// The run is over: in its second half nothing has grown. What the process makes once (tables, threads of the harness)
    /// is made in the first half.
    pub fn close(&self) {
        let (first, second) = self.rounds.split_at(self.rounds.len() / 2);
        let most = |held: fn(&Held) -> u64| {
            let of = |rounds: &[Held]| rounds.iter().map(held).max().unwrap_or(0);
            (of(first), of(second))
        };
        // The exact figures: what was given out and not taken back. The slack is less than one module and its tables.
        let (before, after) = most(|held| held.heap);
        assert!(after <= before + (64 << 10), "heap: {before} bytes, then {after}");
        let (before, after) = most(|held| held.files as u64);
        assert!(after <= before, "files: {before}, then {after}");
        let (before, after) = most(|held| held.threads as u64);
        assert!(after <= before, "threads: {before}, then {after}");
        // The allocator cuts mappings up, and cannot give back all that it keeps.
        let (before, after) = most(|held| held.mappings as u64);
        assert!(after <= before + 64, "mappings: {before}, then {after}");
        let (before, after) = most(|held| held.resident);
        assert!(after <= before + before / 4 + (32 << 20), "resident: {before} bytes, then {after}");
    }
}
