//! Accounts add up and take back what they added; and the sizes that the accounting was written for.

use super::*;
use crate::func::{HostEntity, HostFunction};
use crate::global::Global;
use crate::image::InitialImage;
use crate::instance::Instance;
use crate::memory::Memory;
use crate::store::Store;
use crate::table::Table;

#[test]
fn accounts_add_up() {
    let totals: Arc<Totals> = Arc::default();
    let (mut one, mut two) = (Account::new(&totals), Account::new(&totals));
    one.set(StoreUsage { contexts: 10, memories: 65536, ..StoreUsage::default() });
    two.set(StoreUsage { contexts: 20, tables: 80, ..StoreUsage::default() });
    one.set(StoreUsage { contexts: 7, instances: 300, ..StoreUsage::default() });
    let sum = StoreUsage { contexts: 27, instances: 300, tables: 80, ..StoreUsage::default() };
    assert_eq!((totals.read(), sum.total()), (sum, 407));
    drop(one);
    assert_eq!(totals.read(), two.usage());
    drop(two);
    assert_eq!(totals.read(), StoreUsage::default());
}

#[test]
fn tasks_are_taken_back() {
    let totals: Arc<Totals> = Arc::default();
    let (mut one, mut two) = (TaskAccount::new(&totals), TaskAccount::new(&totals));
    one.add(100);
    two.add(30);
    one.sub(40);
    assert_eq!((totals.read().tasks, totals.read().total(), one.bytes()), (90, 90, 60));
    two.clear();
    drop(one);
    assert_eq!(totals.read(), StoreUsage::default());
}

/// Who changes one of these structs looks at who counts it, then here.
#[test]
fn sizes_are_those_that_the_accounting_was_written_for() {
    let sizes = [
        ("Store", size_of::<Store>()),
        ("Instance", size_of::<Instance>()),
        ("Memory", size_of::<Memory>()),
        ("Table", size_of::<Table>()),
        ("Global", size_of::<Global>()),
        ("HostEntity", size_of::<HostEntity>()),
        ("HostFunction", size_of::<HostFunction>()),
        ("InitialImage", size_of::<InitialImage>()),
    ];
    assert_eq!(
        sizes,
        [
            ("Store", 560),
            ("Instance", 184),
            ("Memory", 112),
            ("Table", 88),
            ("Global", 32),
            ("HostEntity", 72),
            ("HostFunction", 96),
            ("InitialImage", 32)
        ]
    );
}
