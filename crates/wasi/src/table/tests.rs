//! Numbers of descriptors.

use super::{Descriptor, FdTable};
use crate::errno::Errno;
use crate::stdio::{EmptyInput, SinkOutput};

fn input() -> Descriptor {
    Descriptor::input(Box::new(EmptyInput))
}

#[test]
fn the_lowest_free_number_is_next() {
    let mut table: FdTable = [input(), input(), input()].into_iter().collect();
    table.remove(2).unwrap();
    table.remove(0).unwrap();
    assert_eq!(table.remove(0).err(), Some(Errno::Badf));
    assert_eq!(table.push(input()), Ok(0));
    assert_eq!(table.push(input()), Ok(2));
    assert_eq!(table.push(input()), Ok(3));
    assert_eq!(table.get(4).err(), Some(Errno::Badf));
}

#[test]
fn renumbering_moves() {
    let output = Descriptor::output(Box::new(SinkOutput));
    let rights = output.base;
    let mut table: FdTable = [input(), output].into_iter().collect();
    table.renumber(1, 0).unwrap();
    assert_eq!(table.get(0).unwrap().base, rights);
    assert!(table.get(1).is_err());
    assert_eq!(table.renumber(0, 1), Err(Errno::Badf));
    assert_eq!(table.renumber(0, 0), Ok(()));
}
