//! Canonical types: one index for equal types of different modules, so that a signature check is
//! a comparison of two numbers.
//!
//! Problem: types are equal by structure, and recursion groups are equal as wholes (spec, "Type
//! equivalence", isorecursive). Modules come and go while their types are compared at run time.
//! Choice: a group is the unit of storage. Its key is the list of its types in which a reference
//! into the group is relative to it (`LOCAL` bit set) and a reference out of it is the canonical
//! index of an already registered type. Equal keys are equal groups, so one hash lookup decides.
//! Each group counts its users: the modules that registered it and the groups that refer to it.
//! The last user's going frees the group, and its indices are used again.
//! Invariant: a group's references and supertypes are in the group itself or in groups it counts
//! as their user; so groups never refer to a freed one, and cycles stay inside one group.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

mod matching;
mod rewrite;

use crate::heap;
use crate::module::ModuleInfo;
use crate::types::{CanonicalTypeIndex, CompositeType, FuncType, HeapType, RefType, SubType, TypeIndex, ValType};

/// Set in a key's type index when it is relative to the first type of its own group.
const LOCAL: u32 = 1 << 31;

/// The types of all modules of an engine. A handle: clones share the same types.
#[derive(Clone, Default)]
pub struct TypeRegistry {
    state: Arc<RwLock<State>>,
}

/// The canonical types of a module (or of one function type). They live as long as this does.
pub struct RegisteredTypes {
    registry: TypeRegistry,
    /// By the module's `TypeIndex`.
    ids: Box<[CanonicalTypeIndex]>,
    /// The groups counted for this handle.
    groups: Box<[GroupId]>,
}

type GroupId = usize;

#[derive(Default)]
struct State {
    by_key: HashMap<Arc<[SubType]>, GroupId>,
    groups: Slab<Group>,
    types: Slab<Type>,
}

struct Group {
    key: Arc<[SubType]>,
    /// The canonical index of each type of the group.
    members: Box<[CanonicalTypeIndex]>,
    /// Handles and groups that use it.
    users: usize,
    /// The groups it uses, each as often as it is counted there.
    uses: Box<[GroupId]>,
}

struct Type {
    /// With canonical indices in place of the module's.
    ty: SubType,
    /// The same as `ty`, when it is a function type.
    func: Option<Arc<FuncType>>,
    /// The group it belongs to.
    group: GroupId,
    /// The declared supertypes, nearest first.
    supers: Box<[CanonicalTypeIndex]>,
}

/// A list with holes, which are filled first.
struct Slab<T> {
    entries: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Slab<T> {
    fn default() -> Slab<T> {
        Slab { entries: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// A position for a value that `set` brings later.
    fn reserve(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() - 1
        })
    }

    fn set(&mut self, at: usize, value: T) {
        self.entries[at] = Some(value);
    }

    fn get(&self, at: usize) -> Option<&T> {
        self.entries.get(at)?.as_ref()
    }

    fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.entries.get_mut(at)?.as_mut()
    }

    fn remove(&mut self, at: usize) -> Option<T> {
        let value = self.entries.get_mut(at)?.take()?;
        self.free.push(at);
        Some(value)
    }

    fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }
}

impl TypeRegistry {
    /// A registry without types.
    pub fn new() -> TypeRegistry {
        TypeRegistry::default()
    }

    /// Registers the types of a module.
    pub fn register(&self, module: &ModuleInfo) -> RegisteredTypes {
        let mut state = self.write();
        let mut ids = Vec::with_capacity(module.types.len());
        let mut groups = Vec::with_capacity(module.rec_groups.len());
        for rec_group in &module.rec_groups {
            let first = rec_group.first.0;
            let types = module.types.get(rec_group.range()).unwrap_or_default();
            let group = state.add_group(types, |index| {
                match index.0.checked_sub(first) {
                    // Within the group: by distance.
                    Some(distance) if distance < rec_group.len => TypeIndex(LOCAL | distance),
                    _ => TypeIndex(ids.get(index.index()).map_or(u32::MAX, |id: &CanonicalTypeIndex| id.0)),
                }
            });
            ids.extend_from_slice(state.members(group));
            groups.push(group);
        }
        drop(state);
        RegisteredTypes { registry: self.clone(), ids: ids.into(), groups: groups.into() }
    }

    /// Registers one function type, as a plain `(type (func ..))` declares it. Concrete types in
    /// it must be canonical already, and registered for as long as this call takes.
    pub fn register_func(&self, ty: &FuncType) -> RegisteredTypes {
        let ty = [SubType::final_func(ty.clone())];
        let mut state = self.write();
        let group = state.add_group(&ty, |index| index);
        let ids = state.members(group).into();
        drop(state);
        RegisteredTypes { registry: self.clone(), ids, groups: Box::new([group]) }
    }

    /// The function type with this index; concrete types in it are canonical.
    ///
    /// # Panics
    /// If it is not the index of a registered function type.
    pub fn func_type(&self, index: CanonicalTypeIndex) -> Arc<FuncType> {
        self.get_func_type(index).expect("the index of a registered function type")
    }

    /// The function type with this index; `None` when it is not one.
    pub fn get_func_type(&self, index: CanonicalTypeIndex) -> Option<Arc<FuncType>> {
        self.read().types.get(index.index())?.func.clone()
    }

    /// The type with this index, with canonical indices inside; `None` when there is none.
    pub fn sub_type(&self, index: CanonicalTypeIndex) -> Option<SubType> {
        Some(self.read().types.get(index.index())?.ty.clone())
    }

    /// Whether `sub` is `sup` or declares it, directly or not, as its supertype.
    pub fn is_subtype(&self, sub: CanonicalTypeIndex, sup: CanonicalTypeIndex) -> bool {
        sub == sup || self.read().is_declared_subtype(sub, sup)
    }

    /// Whether every value of `sub` is one of `sup`; both in canonical indices.
    pub fn val_type_matches(&self, sub: ValType, sup: ValType) -> bool {
        sub == sup || matching::val_type(&self.read(), sub, sup)
    }

    /// Whether every reference of `sub` is one of `sup`; both in canonical indices.
    pub fn ref_type_matches(&self, sub: RefType, sup: RefType) -> bool {
        sub == sup || matching::ref_type(&self.read(), sub, sup)
    }

    /// What all types take, in bytes. Looks at every one.
    pub fn heap_bytes(&self) -> usize {
        self.read().heap_bytes()
    }

    /// How many types are registered.
    pub fn len(&self) -> usize {
        self.read().types.len()
    }

    /// Whether no type is registered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        // No code that can panic runs between two steps of a change, so a poisoned state is whole.
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RegisteredTypes {
    /// The canonical index of every type, by the module's `TypeIndex`.
    pub fn ids(&self) -> &[CanonicalTypeIndex] {
        &self.ids
    }

    /// The canonical index of a type of the module.
    ///
    /// # Panics
    /// If the module has no such type.
    pub fn id(&self, index: TypeIndex) -> CanonicalTypeIndex {
        self.ids[index.index()]
    }

    /// What it owns takes, in bytes, without the types, which are the registry's.
    pub fn heap_bytes(&self) -> usize {
        heap::slice(&self.ids) + heap::slice(&self.groups)
    }

    /// The registry the types are in.
    pub fn registry(&self) -> &TypeRegistry {
        &self.registry
    }

    /// A value type of the module with canonical indices.
    ///
    /// # Panics
    /// If it names a type the module does not have.
    pub fn canonical_val_type(&self, ty: ValType) -> ValType {
        rewrite::val_type(ty, &mut |index| TypeIndex(self.id(index).0))
    }

    /// A reference type of the module with canonical indices.
    ///
    /// # Panics
    /// If it names a type the module does not have.
    pub fn canonical_ref_type(&self, ty: RefType) -> RefType {
        rewrite::ref_type(ty, &mut |index| TypeIndex(self.id(index).0))
    }
}

impl Drop for RegisteredTypes {
    fn drop(&mut self) {
        self.registry.write().release(self.groups.to_vec());
    }
}

impl State {
    fn members(&self, group: GroupId) -> &[CanonicalTypeIndex] {
        self.groups.get(group).map_or(&[], |group| &group.members)
    }

    /// Finds or makes the group of these types and counts one user. `map` turns an index used in
    /// `types` into one of a key.
    fn add_group(&mut self, types: &[SubType], mut map: impl FnMut(TypeIndex) -> TypeIndex) -> GroupId {
        // Most types name no other type, and are their own key.
        let is_key = !types.iter().any(rewrite::names_types);
        let rewritten: Vec<SubType>;
        let key = if is_key {
            types
        } else {
            rewritten = types.iter().map(|ty| rewrite::sub_type(ty, &mut map)).collect();
            &rewritten
        };
        if let Some(&id) = self.by_key.get(key) {
            if let Some(group) = self.groups.get_mut(id) {
                group.users += 1;
            }
            return id;
        }
        self.new_group(key.into())
    }

    fn new_group(&mut self, key: Arc<[SubType]>) -> GroupId {
        let id = self.groups.reserve();
        let members: Box<[CanonicalTypeIndex]> =
            key.iter().map(|_| CanonicalTypeIndex::new(self.types.reserve())).collect();
        let mut uses = Vec::new();
        for (at, ty) in members.iter().zip(key.iter()) {
            let ty = rewrite::sub_type(ty, &mut |index| {
                if index.0 & LOCAL != 0 {
                    let member = members.get((index.0 & !LOCAL) as usize);
                    return TypeIndex(member.map_or(u32::MAX, |member| member.0));
                }
                uses.extend(self.types.get(index.index()).map(|ty| ty.group));
                index
            });
            let supers = self.supers_of(&ty);
            let func = match &ty.composite {
                CompositeType::Func(ty) => Some(Arc::new(ty.clone())),
                CompositeType::Struct(_) | CompositeType::Array(_) => None,
            };
            self.types.set(at.index(), Type { ty, func, group: id, supers });
        }
        for &used in &uses {
            if let Some(group) = self.groups.get_mut(used) {
                group.users += 1;
            }
        }
        self.by_key.insert(key.clone(), id);
        self.groups.set(id, Group { key, members, users: 1, uses: uses.into() });
        id
    }

    fn heap_bytes(&self) -> usize {
        let groups = self.groups.entries.iter().flatten().map(|group| {
            heap::shared(&*group.key)
                + group.key.iter().map(SubType::heap_bytes).sum::<usize>()
                + heap::slice(&group.members)
                + heap::slice(&group.uses)
        });
        let types = self.types.entries.iter().flatten().map(|ty| {
            let func = ty.func.as_deref().map_or(0, |func| heap::shared(func) + func.heap_bytes());
            ty.ty.heap_bytes() + func + heap::slice(&ty.supers)
        });
        let lists = heap::vec(&self.groups.entries) + heap::vec(&self.types.entries);
        heap::map(&self.by_key) + lists + groups.sum::<usize>() + types.sum::<usize>()
    }

    /// The supertypes of a type whose own supertype is already here.
    fn supers_of(&self, ty: &SubType) -> Box<[CanonicalTypeIndex]> {
        let Some(nearest) = ty.supertype else { return Box::default() };
        let further = self.types.get(nearest.index()).map_or(&[][..], |ty| &ty.supers);
        std::iter::once(CanonicalTypeIndex(nearest.0)).chain(further.iter().copied()).collect()
    }

    fn is_declared_subtype(&self, sub: CanonicalTypeIndex, sup: CanonicalTypeIndex) -> bool {
        self.types.get(sub.index()).is_some_and(|ty| ty.supers.contains(&sup))
    }

    /// Takes one user from each of `groups` and frees what has none left. Iterative: chains of
    /// groups can be as long as a module has types.
    fn release(&mut self, mut groups: Vec<GroupId>) {
        while let Some(id) = groups.pop() {
            let Some(group) = self.groups.get_mut(id) else { continue };
            group.users -= 1;
            if group.users > 0 {
                continue;
            }
            if let Some(group) = self.groups.remove(id) {
                self.by_key.remove(&group.key);
                for member in &group.members {
                    self.types.remove(member.index());
                }
                groups.extend_from_slice(&group.uses);
            }
        }
    }
}

impl fmt::Debug for TypeRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypeRegistry").field("types", &self.len()).finish()
    }
}

impl fmt::Debug for RegisteredTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisteredTypes").field("ids", &self.ids).finish()
    }
}

/// The heap types `Concrete` of `index` is under, by what the type is.
fn kind_of(state: &State, index: TypeIndex) -> Option<HeapType> {
    Some(match state.types.get(index.index())?.ty.composite {
        CompositeType::Func(_) => HeapType::Func,
        CompositeType::Struct(_) => HeapType::Struct,
        CompositeType::Array(_) => HeapType::Array,
    })
}

#[cfg(test)]
mod tests;
