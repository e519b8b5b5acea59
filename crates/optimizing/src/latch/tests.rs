//! Counted loops end in one branch.

use crate::testing::{VERIFY, compile_one};

/// The bytes of a function that counts in a local of this type from 0 by `step` up to `end`.
fn counted(ty: &str, step: i64, end: i64) -> Vec<u8> {
    let text = format!(
        "(module (memory 1) (func (param {ty}) (result {ty}) (local {ty})
           (loop (i32.store8 (i32.const 5) (i32.const 1))
             (br_if 0 ({ty}.ne (local.tee 1 ({ty}.add (local.get 1) ({ty}.const {step}))) ({ty}.const {end}))))
           (local.get 1)))"
    );
    compile_one(&text, VERIFY).bytes
}

#[test]
fn counted_loops_have_no_jump() {
    for (ty, step, end) in [("i32", 1, 100), ("i32", -1, -7), ("i32", 24, 768), ("i64", 8, 1 << 20), ("i64", -3, -30)] {
        let code = counted(ty, step, end);
        // A backward `jmp rel32`. One is in the cold code that answers interrupts, behind the loop.
        let jumps_back = |bytes: &[u8]| bytes[0] == 0xe9 && bytes[4] == 0xff;
        assert!(code.windows(5).filter(|bytes| jumps_back(bytes)).count() <= 1, "{ty} {step} {end}: {code:x?}");
    }
}
