//! Nothing is left out, and the structs are those that the accounting was written for.

use super::*;
use crate::compile::stubs::Stubs;

/// Who changes one of these structs looks at its `heap_bytes` (`sizes`), then here.
#[test]
fn sizes_are_those_that_the_accounting_was_written_for() {
    let sizes = [("Attachment", size_of::<Attachment>()), ("Stubs", size_of::<Stubs>())];
    assert_eq!(sizes, [("Attachment", 320), ("Stubs", 16)]);
}

#[test]
fn no_kind_is_left_out_of_the_sum() {
    // Every field is a number of bytes: the sum of all words of the struct is the total.
    let stores = StoreUsage {
        contexts: 1 << 10,
        instances: 1 << 11,
        memories: 1 << 12,
        tables: 1 << 13,
        host: 1 << 14,
        tasks: 1 << 15,
    };
    let usage = MemoryUsage {
        code: 1,
        stubs: 1 << 1,
        code_free: 1 << 2,
        code_metadata: 1 << 3,
        wire_bytes: 1 << 4,
        module_metadata: 1 << 5,
        profiles: 1 << 6,
        images: 1 << 7,
        types: 1 << 8,
        engine: 1 << 9,
        stores,
    };
    assert_eq!(usage.total(), (1 << 16) - 1);
    assert_eq!(size_of::<MemoryUsage>(), 16 * size_of::<usize>());
    assert_eq!(usage.iter().count(), 16);
    assert!(usage.to_string().ends_with("65535\n"));
}
