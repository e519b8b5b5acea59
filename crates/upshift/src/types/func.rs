//! `FuncType`: the type of a function, registered with its engine.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use wasm::canonical::RegisteredTypes;
use wasm::types::{self as language, CanonicalTypeIndex};

use super::ValType;
use crate::engine::Engine;
use crate::error::messages::panics;

/// The type of a function: what it takes and what it gives. It belongs to an engine, in which equal types are one.
///
/// ```
/// use upshift::{Engine, FuncType, ValType};
///
/// let engine = Engine::default();
/// let ty = FuncType::new(&engine, [ValType::I32, ValType::I32], [ValType::I64]);
/// assert_eq!(ty.params().len(), 2);
/// assert_eq!(ty.result(0), Some(ValType::I64));
/// assert_eq!(ty.to_string(), "(i32, i32) -> (i64)");
/// ```
#[derive(Clone)]
pub struct FuncType {
    engine: Engine,
    /// With canonical indices, which `registration` keeps.
    ty: language::FuncType,
    registration: Arc<RegisteredTypes>,
}

impl FuncType {
    /// The type of functions with these parameters and results.
    ///
    /// # Panics
    /// When one of the types names a function type of another engine.
    pub fn new(
        engine: &Engine,
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> FuncType {
        // The types are kept until theirs is registered, since their indices are good only so long.
        let (params, results): (Vec<_>, Vec<_>) = (params.into_iter().collect(), results.into_iter().collect());
        for ty in params.iter().chain(&results) {
            if let Some(ty) = ty.as_ref() {
                ty.heap_type().assert_of_engine(engine);
            }
        }
        let lower = |types: &[ValType]| types.iter().map(ValType::to_wasm).collect::<Vec<_>>();
        FuncType::from_wasm(engine, &language::FuncType::new(lower(&params), lower(&results)))
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The type of parameter `i`.
    pub fn param(&self, i: usize) -> Option<ValType> {
        Some(ValType::from_wasm(&self.engine, *self.ty.params().get(i)?))
    }

    /// The types of the parameters.
    pub fn params(&self) -> impl ExactSizeIterator<Item = ValType> + '_ {
        self.ty.params().iter().map(|&ty| ValType::from_wasm(&self.engine, ty))
    }

    /// The type of result `i`.
    pub fn result(&self, i: usize) -> Option<ValType> {
        Some(ValType::from_wasm(&self.engine, *self.ty.results().get(i)?))
    }

    /// The types of the results.
    pub fn results(&self) -> impl ExactSizeIterator<Item = ValType> + '_ {
        self.ty.results().iter().map(|&ty| ValType::from_wasm(&self.engine, ty))
    }

    /// Is every function of this type one of `other`?
    ///
    /// # Panics
    /// When they are of different engines.
    pub fn matches(&self, other: &FuncType) -> bool {
        assert!(self.engine.same(&other.engine), "{}", panics::TYPES_OF_DIFFERENT_ENGINES);
        self.engine.inner.types().is_subtype(self.type_id(), other.type_id())
    }

    /// From a type with canonical indices, registered for as long as this call takes.
    pub(crate) fn from_wasm(engine: &Engine, ty: &language::FuncType) -> FuncType {
        // What modules and hosts can define without garbage collection are final types outside of groups, for which
        // registering again gives the same index.
        let registration = Arc::new(engine.inner.types().register_func(ty));
        FuncType { engine: engine.clone(), ty: ty.clone(), registration }
    }

    /// With canonical indices, which are good as long as `self`.
    pub(crate) fn to_wasm(&self) -> language::FuncType {
        self.ty.clone()
    }

    /// Keeps the type registered as long as the store.
    pub(crate) fn keep_in(&self, store: &mut runtime::store::Store) {
        // A store keeps the host's values until it is dropped; this one no Wasm gets to see.
        store.add_extern(Box::new(self.clone()));
    }

    pub(crate) fn type_id(&self) -> CanonicalTypeIndex {
        self.registration.ids()[0]
    }
}

impl PartialEq for FuncType {
    fn eq(&self, other: &FuncType) -> bool {
        self.engine.same(&other.engine) && self.type_id() == other.type_id()
    }
}

impl Eq for FuncType {}

impl Hash for FuncType {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.type_id().hash(state);
    }
}

impl fmt::Display for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |types: &mut dyn Iterator<Item = ValType>| types.map(|ty| ty.to_string()).collect::<Vec<_>>();
        write!(f, "({}) -> ({})", list(&mut self.params()).join(", "), list(&mut self.results()).join(", "))
    }
}

impl fmt::Debug for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FuncType({self})")
    }
}
