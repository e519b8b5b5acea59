//! Who changes one of these structs looks at who counts it, then here.

use super::*;
use crate::native_module::Parts;

#[test]
fn sizes_are_those_that_the_accounting_was_written_for() {
    let sizes = [
        ("NativeModule", size_of::<NativeModule>()),
        ("Parts", size_of::<Parts>()),
        ("Code", size_of::<Code>()),
        ("Profile", size_of::<Profile>()),
    ];
    assert_eq!(sizes, [("NativeModule", 560), ("Parts", 80), ("Code", 104), ("Profile", 96)]);
}
