//! The bodies of a real program, with a byte changed.

use upshift::{Config, Engine, Module, Tier};

use super::fault;
use crate::fetched;
use crate::random::Random;

#[test]
fn changed_bodies_of_a_real_program() {
    let mut bytes = fetched::quickjs().to_vec();
    let validator = Engine::default();
    let bodies: Vec<(u32, usize, usize)> = Module::from_binary(&validator, &bytes)
        .unwrap()
        .functions()
        .map(|function| (function.index, function.offset, function.len))
        .collect();
    let engine = Engine::new(Config::new().lazy_validation(true)).unwrap();
    let mut random = Random::new(3);
    let mut invalid = 0;
    for round in 0..100 {
        let (index, start, len) = bodies[random.below(bodies.len())];
        let at = start + random.below(len);
        let before = bytes[at];
        bytes[at] = if round % 2 == 0 { before ^ 1 << random.below(8) } else { random.below(256) as u8 };
        let module = Module::from_binary(&engine, &bytes).unwrap();
        let compiled = module.compile_function(index);
        match Module::validate(&validator, &bytes) {
            Ok(()) => compiled.unwrap(),
            Err(whole) => {
                invalid += 1;
                let expected = fault(&whole);
                assert!(expected.1.is_some_and(|offset| (start..=start + len).contains(&offset)), "{expected:?}");
                assert_eq!(fault(&compiled.unwrap_err()), expected);
                assert_eq!(fault(&module.compile_function_in(index, Tier::Optimizing).unwrap_err()), expected);
                if invalid % 10 == 0 {
                    assert_eq!(fault(&module.compile_all().unwrap_err()), expected);
                    // All others have their code.
                    assert_eq!(module.statistics().compiled, bodies.len() - 1);
                }
            }
        }
        bytes[at] = before;
    }
    assert!(invalid > 30, "{invalid} of them were not valid");
}
