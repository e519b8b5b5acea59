//! The life of code: added, published, retired, freed.

use abi::feedback::{CallSite, IndirectSite, ProfileTable, SiteKind};
use wasm::canonical::TypeRegistry;
use wasm::types::TypeIndex;

use super::*;

/// A module of `count` functions `() -> ()` whose bodies have room for some calls; all of them escape.
fn module(count: usize, profile: bool) -> (Arc<CodeSpace>, Arc<NativeModule>) {
    let mut info = ModuleInfo::default();
    info.bodies = (0..count).map(|n| n * 40..(n + 1) * 40).collect();
    info.functions = vec![TypeIndex(0); count];
    info.escaped_functions = (0..count).map(FuncIndex::new).collect();
    let space = CodeSpace::new(16 << 20).unwrap();
    let parts = Parts {
        types: Arc::new(TypeRegistry::new().register(&ModuleInfo::default())),
        info: Arc::new(info),
        wire_bytes: Vec::new().into(),
        memories: Box::default(),
        settings: Settings { profile, ..Settings::default() },
        attachment: Box::new(()),
    };
    let stubs = Arc::new(LazyStubs::new(Arc::clone(&space), std::ptr::dangling()));
    let module = NativeModule::new(parts, Arc::clone(&space), stubs).unwrap();
    (space, module)
}

fn new_code(function: u32, tier: Tier, osr: Option<u32>) -> NewCode {
    let compiled = CompiledCode { bytes: vec![0xc3; 100], alignment: 16, ..CompiledCode::default() };
    NewCode {
        function: DefinedFuncIndex(function),
        tier,
        osr,
        compile_time: Duration::from_micros(5),
        budget: 50,
        compiled,
    }
}

fn publish(module: &NativeModule, function: u32, tier: Tier) -> *const u8 {
    module.publish(module.add(new_code(function, tier, None)).unwrap()).entry
}

#[test]
fn better_code_takes_over_and_the_old_is_freed_when_no_stack_holds_it() {
    let (space, module) = module(3, false);
    let f = DefinedFuncIndex(1);
    let lazy = module.table().get(f);
    let before = space.code_bytes();
    let baseline = publish(&module, 1, Tier::Baseline);
    assert_eq!((module.table().get(f), module.tier(f)), (baseline, Some(Tier::Baseline)));
    let held = HashSet::from([module.code(f).map(|code| Arc::as_ptr(&code).addr()).unwrap()]);
    let before_it_was_retired = module.now();
    let optimizing = publish(&module, 1, Tier::Optimizing);
    assert_eq!(module.table().get(f), optimizing);
    // Code of a lower tier that comes late is dropped.
    assert_eq!(publish(&module, 1, Tier::Baseline), optimizing);
    assert_eq!((module.retired_bytes(), space.retired_bytes()), (100, 100));
    assert!(module.take_retired(module.now(), &held).is_empty());
    assert!(module.take_retired(before_it_was_retired, &HashSet::new()).is_empty());
    let freed = module.take_retired(module.now(), &HashSet::new());
    assert_eq!((freed.len(), freed[0].entry()), (1, baseline));
    drop(freed);
    assert_eq!((module.retired_bytes(), space.retired_bytes()), (0, 0));
    let statistics = module.statistics();
    assert_eq!(
        (statistics.baseline.functions, statistics.baseline.compiled, statistics.baseline.code_bytes),
        (0, 2, 0)
    );
    assert_eq!((statistics.optimizing.functions, statistics.optimizing.code_bytes), (1, 100));
    assert_eq!((statistics.freed, statistics.freed_bytes, statistics.compiled()), (1, 100, 1));
    let flushed = module.flush(|_| true);
    assert_eq!((flushed.functions, flushed.loops), (vec![(f, 100)], vec![]));
    assert_eq!((module.table().get(f), module.tier(f)), (lazy, None));
    drop(module.take_retired(module.now(), &HashSet::new()));
    assert_eq!((space.code_bytes(), module.statistics().flushed), (before, 1));
}

#[test]
fn osr_entries_are_in_no_slot() {
    let (_space, module) = module(2, false);
    let f = DefinedFuncIndex(0);
    let lazy = module.table().get(f);
    let entry = module.publish(module.add(new_code(0, Tier::Optimizing, Some(77))).unwrap()).entry;
    assert_eq!((module.table().get(f), module.osr_entry(f, 77)), (lazy, Some(entry)));
    assert_eq!((module.osr_entry(f, 78), module.osr_codes(f).len(), module.statistics().osr.functions), (None, 1, 1));
    let flushed = module.flush(|_| true);
    assert_eq!((flushed.functions, flushed.loops), (vec![], vec![(f, 77)]));
    assert_eq!((module.osr_entry(f, 77), module.retired_bytes()), (None, 100));
}

#[test]
fn a_module_takes_its_retired_code_along() {
    let (space, module) = module(1, false);
    publish(&module, 0, Tier::Baseline);
    publish(&module, 0, Tier::Optimizing);
    assert_eq!(space.retired_bytes(), 100);
    drop(module);
    assert_eq!((space.retired_bytes(), space.code_bytes(), space.used()), (0, 0, 0));
}

#[test]
fn code_gets_its_place_in_the_profile_and_feedback_names_functions() {
    let (_space, module) = module(3, true);
    let sites = vec![
        CallSite { wasm_offset: 5, place: 8, kind: SiteKind::Direct },
        CallSite { wasm_offset: 9, place: 16, kind: SiteKind::Indirect },
    ];
    let size = 16 + size_of::<IndirectSite>() as u32;
    for function in 0..2 {
        let mut code = new_code(function, Tier::Baseline, None);
        code.compiled.bytes[10..14].copy_from_slice(&16_u32.to_le_bytes());
        code.compiled.profile = ProfileTable { size, fixups: vec![10], sites: sites.clone() };
        let code = module.add(code).unwrap();
        assert_eq!(code.bytes()[10..14], (16 + function * size).to_le_bytes());
        module.publish(code);
    }
    let f = DefinedFuncIndex(1);
    assert_eq!(module.budget(f), Some(50));
    module.set_budget(f, -1);
    assert_eq!((module.budget(f), module.budget(DefinedFuncIndex(0))), (Some(-1), Some(50)));
    let distance = |function| module.layout().func_ref(FuncIndex(function)).unwrap();
    let words = [4, 0, distance(2), 7, distance(0), 70, distance(0) + 1, 5, 1, 2, 3, 0];
    for (place, word) in words.into_iter().enumerate() {
        // SAFETY: the region of function 1 lies behind that of function 0, and holds this many words of counts.
        unsafe { module.profile_base().cast::<u32>().add((size as usize + 8) / 4 + place).write(word) };
    }
    let feedback = module.feedback(f).unwrap();
    assert_eq!((feedback.sites[0].count, feedback.sites[0].targets), (4, [None; MAX_TARGETS]));
    let site = feedback.site(9).unwrap();
    assert_eq!(site.count, 87);
    assert_eq!(site.targets, [Some((FuncIndex(0), 70)), Some((FuncIndex(2), 7)), None, None]);
    assert_eq!((module.site_count(f, 9), module.site_count(f, 8)), (Some(87), None));
    assert!(module.feedback(DefinedFuncIndex(2)).is_none());
}

#[test]
fn threads_that_publish_the_same_function_agree() {
    let (space, module) = module(50, false);
    std::thread::scope(|scope| {
        for tier in [Tier::Baseline, Tier::Optimizing, Tier::Baseline, Tier::Optimizing] {
            let module = &module;
            scope.spawn(move || (0..50).for_each(|function| assert!(!publish(module, function, tier).is_null())));
        }
        scope.spawn(|| {
            for _ in 0..20 {
                drop(module.take_retired(module.now(), &HashSet::new()));
            }
        });
    });
    for function in (0..50).map(DefinedFuncIndex::new) {
        assert_eq!(module.tier(function), Some(Tier::Optimizing));
        assert_eq!(module.code(function).map(|code| code.entry()), Some(module.table().get(function)));
    }
    drop(module.take_retired(module.now(), &HashSet::new()));
    let statistics = module.statistics();
    assert_eq!((statistics.optimizing.functions, statistics.baseline.functions), (50, 0));
    assert_eq!((statistics.code_bytes(), space.retired_bytes()), (5000, 0));
}
