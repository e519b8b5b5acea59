//! Listeners that look at what they are told.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use upshift::{CodeListener, CreatedCode, DebuggerHook, Script, ScriptId};

/// Keeps the books of machine code.
#[derive(Default)]
pub struct CodeBook {
    /// The length of the code at each address.
    living: Mutex<HashMap<usize, usize>>,
}

impl fmt::Debug for CodeBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeBook")
    }
}

impl CodeBook {
    fn lock(&self) -> MutexGuard<'_, HashMap<usize, usize>> {
        self.living.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CodeListener for CodeBook {
    fn code_created(&self, code: &CreatedCode<'_>) {
        // It is there, and stays as long as this runs.
        let bytes = code.bytes();
        assert!(!bytes.is_empty() && !code.name().is_empty());
        std::hint::black_box(bytes.iter().fold(0_u8, |sum, byte| sum ^ byte));
        self.lock().insert(code.address(), bytes.len());
    }

    fn code_freed(&self, address: usize) {
        self.lock().remove(&address);
    }
}

/// Keeps the books of scripts: each comes once and goes once.
#[derive(Debug, Default)]
pub struct ScriptBook {
    living: Mutex<Vec<ScriptId>>,
}

impl DebuggerHook for ScriptBook {
    fn script_added(&self, script: &Script) {
        let mut living = self.living.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(!living.contains(&script.id()), "{:?} came twice", script.id());
        living.push(script.id());
    }

    fn script_removed(&self, script: ScriptId) {
        let mut living = self.living.lock().unwrap_or_else(PoisonError::into_inner);
        let place = living.iter().position(|&known| known == script).expect("a script that came");
        living.swap_remove(place);
    }
}
