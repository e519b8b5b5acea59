//! Every reason survives the way through Cranelift.

use abi::trap::TrapReason;

use super::{trap_code, trap_reason};

#[test]
fn every_reason_round_trips() {
    for &reason in TrapReason::ALL {
        assert_eq!(trap_reason(trap_code(reason)), Some(reason));
    }
}
