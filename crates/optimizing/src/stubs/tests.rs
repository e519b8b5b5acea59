//! Stubs for every shape of type compile and need no linking.

use abi::compiler::Compiler;
use wasm::types::{FuncType, ValType};

use crate::OptimizingCompiler;

#[test]
fn stubs_compile_for_every_shape() {
    let compiler = OptimizingCompiler::new().expect("tests run on a supported machine");
    let kinds =
        [ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::V128, ValType::FUNCREF, ValType::EXTERNREF];
    for params in [0, 1, 6, 7, 30, 1000] {
        for results in [0, 1, 8, 9, 17, 300] {
            let take = |count| kinds.iter().cycle().take(count).copied().collect::<Vec<_>>();
            let ty = FuncType::new(take(params), take(results));
            let (entry, exit) = (compiler.entry_stub(&ty), compiler.exit_stub(&ty));
            assert!(!entry.expect("it compiles").bytes.is_empty());
            let exit = exit.expect("it compiles");
            assert!(exit.frame_size as usize >= params.max(results) * 16);
        }
    }
}
