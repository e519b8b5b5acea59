//! Entries: once each, in order, whatever listeners do.

use abi::compiled::CompiledCode;
use code::space::CodeSpace;

use super::*;

/// What was told, as text.
#[derive(Debug, Default)]
struct Heard(Mutex<Vec<String>>);

impl Heard {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl CodeListener for Heard {
    fn code_created(&self, code: &CreatedCode<'_>) {
        self.0.lock().unwrap().push(format!("{} {:x}", code.name(), code.address()));
    }

    fn code_freed(&self, address: usize) {
        self.0.lock().unwrap().push(format!("freed {address:x}"));
    }
}

fn space() -> Arc<CodeSpace> {
    CodeSpace::new(1 << 20).unwrap()
}

fn stub(space: &Arc<CodeSpace>) -> Arc<Code> {
    let compiled = CompiledCode { bytes: vec![0xc3; 16], alignment: 16, ..CompiledCode::default() };
    space.add(compiled, CodeKind::EntryStub).unwrap()
}

fn on() -> (Log, Arc<Heard>) {
    let (log, heard) = (Log::default(), Arc::<Heard>::default());
    drop(log.set(vec![heard.clone()]));
    (log, heard)
}

fn deliver(log: &Log) {
    log.deliver(|_| None);
}

#[test]
fn code_is_told_once() {
    let ((log, heard), space) = (on(), space());
    let code = stub(&space);
    assert!(log.created(&code, None));
    assert!(!log.created(&code, None));
    deliver(&log);
    assert!(!log.created(&code, None));
    deliver(&log);
    let at = code.entry() as usize;
    assert_eq!(heard.take(), [format!("wasm-entry-stub {at:x}")]);
    assert!(log.freed(std::slice::from_ref(&code)));
    log.freed(std::slice::from_ref(&code));
    deliver(&log);
    assert_eq!(heard.take(), [format!("freed {at:x}")]);
}

#[test]
fn a_log_that_is_off_keeps_nothing() {
    let (log, space) = (Log::default(), space());
    let code = stub(&space);
    assert!(!log.is_on() && !log.created(&code, None) && !log.freed(std::slice::from_ref(&code)));
    assert_eq!((Arc::strong_count(&code), Arc::weak_count(&code)), (1, 0));
}

#[test]
fn waiting_code_is_kept_and_given_up_when_the_log_is_turned_off() {
    let ((log, heard), space) = (on(), space());
    let code = stub(&space);
    let weak = Arc::downgrade(&code);
    log.created(&code, None);
    drop(code);
    assert!(weak.upgrade().is_some());
    drop(log.set(Vec::new()));
    assert!(weak.upgrade().is_none() && !log.is_on());
    deliver(&log);
    assert_eq!(heard.take(), [""; 0]);
}

#[test]
fn other_code_at_the_same_address_is_told_of() {
    let ((log, heard), space) = (on(), space());
    let code = stub(&space);
    let at = code.entry() as usize;
    log.created(&code, None);
    deliver(&log);
    // Nobody says that it is freed.
    drop(code);
    let code = stub(&space);
    assert_eq!(code.entry() as usize, at, "the allocator takes the first gap");
    assert!(log.created(&code, None));
    deliver(&log);
    let created = format!("wasm-entry-stub {at:x}");
    assert_eq!(heard.take(), [created.clone(), format!("freed {at:x}"), created]);
}

/// A listener that panics each time.
#[derive(Debug)]
struct Panics;

impl CodeListener for Panics {
    fn code_created(&self, _: &CreatedCode<'_>) {
        panic!("expected by a test");
    }
}

#[test]
fn a_panic_of_a_listener_goes_no_further() {
    let (log, heard, space) = (Log::default(), Arc::<Heard>::default(), space());
    drop(log.set(vec![Arc::new(Panics), heard.clone()]));
    let codes = [stub(&space), stub(&space)];
    for code in &codes {
        log.created(code, None);
    }
    deliver(&log);
    assert_eq!(heard.take().len(), 2);
    log.freed(&codes);
    deliver(&log);
    assert_eq!(heard.take().len(), 2);
}

/// A listener that makes code while it is told of code.
#[derive(Debug)]
struct Maker {
    log: Arc<Log>,
    space: Arc<CodeSpace>,
    made: Mutex<Vec<Arc<Code>>>,
    heard: Mutex<Vec<usize>>,
}

impl CodeListener for Maker {
    fn code_created(&self, code: &CreatedCode<'_>) {
        self.heard.lock().unwrap().push(code.address());
        if self.made.lock().unwrap().len() < 3 {
            let code = stub(&self.space);
            self.log.created(&code, None);
            self.made.lock().unwrap().push(code);
            deliver(&self.log);
        }
    }
}

#[test]
fn what_is_made_in_a_listener_is_told_after_it_in_order() {
    let (log, space) = (Arc::<Log>::default(), space());
    let made = Mutex::default();
    let maker = Arc::new(Maker { log: Arc::clone(&log), space: Arc::clone(&space), made, heard: Mutex::default() });
    drop(log.set(vec![maker.clone()]));
    let first = stub(&space);
    log.created(&first, None);
    deliver(&log);
    let made: Vec<usize> = maker.made.lock().unwrap().iter().map(|code| code.entry() as usize).collect();
    assert_eq!(*maker.heard.lock().unwrap(), [&[first.entry() as usize][..], &made].concat());
    drop(log.set(Vec::new()));
}

/// Creation and freeing of each piece of code are told in this order, from however many threads they come.
#[test]
fn threads_keep_the_order_of_each_code() {
    let ((log, heard), space) = (on(), space());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let code = stub(&space);
                    log.created(&code, None);
                    deliver(&log);
                    log.freed(std::slice::from_ref(&code));
                    deliver(&log);
                }
            });
        }
    });
    deliver(&log);
    let heard = heard.take();
    assert_eq!(heard.len(), 1600);
    let mut living = std::collections::HashSet::new();
    for line in &heard {
        let (what, at) = line.rsplit_once(' ').unwrap();
        assert!(if what == "freed" { living.remove(at) } else { living.insert(at) }, "{line}");
    }
    assert!(living.is_empty());
}
