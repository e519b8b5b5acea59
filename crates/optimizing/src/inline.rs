//! Which calls to inline: decided from feedback before anything is translated.
//!
//! 1. [`Plan::make`] reads the function's calls and what feedback says of each, and makes every call of a small function of
//!    the same module a *candidate* with a score: twice its count less three times the callee's size.
//! 2. The best candidate is taken, as long as the budget lasts; its own calls become candidates with what feedback says of
//!    the callee as a whole.
//! 3. `translate::inline` finds at each call operator the [`Site`] here: whose code to put there, or that it never runs.
//!
//! The limits are those of V8 (`--wasm-inlining-*`), where sizes are bytes of Wasm. A callee without feedback has never run
//! in the baseline tier: of its calls only the tiniest are inlined.
//!
//! Code is told apart by *locations*: numbers that Cranelift carries from operators to instructions. The function's own
//! bytes have their offsets in the module; the bytes of each inlined body follow in a range of their own.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::rc::Rc;

use abi::compiled::InlinedCall;
use abi::compiler::{FunctionBody, ModuleEnv, Request};
use abi::feedback::{FunctionFeedback, MAX_INLINED, SiteFeedback};
use wasm::decode::code::BodyReader;
use wasm::decode::error::DecodeError;
use wasm::module::ModuleInfo;
use wasm::ops::{Call, Operator};
use wasm::types::{DefinedFuncIndex, FuncIndex, FuncType, HeapType, TypeIndex, ValType};

#[cfg(test)]
mod tests;

/// Callees up to this size are always worth it.
const TINY: usize = 12;
/// Most calls inlined into one function, without tiny ones.
const MAX_NODES: usize = 60;
/// Most calls inlined into one function, with tiny ones.
const MAX_ALL_NODES: usize = 500;
/// Deepest nest of inlined calls.
const MAX_DEPTH: u32 = 7;
/// Most locals of a callee, parameters included.
const MAX_LOCALS: u32 = 200;
/// A body that is inlined replaces this many bytes of call.
const CALL_BYTES: usize = 6;
/// Smallest budget, in bytes.
const MIN_BUDGET: usize = 50;

/// What is inlined into one function.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// The function itself, then inlined calls; callers come before callees.
    pub(crate) nodes: Vec<Node<'a>>,
}

/// One body of the code under compilation.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    /// The function.
    pub(crate) function: DefinedFuncIndex,
    /// Its body.
    pub(crate) body: FunctionBody<'a>,
    /// The node that calls it.
    parent: usize,
    /// Offset of the call operator in the module.
    call: u32,
    /// Calls between the function itself and this.
    depth: u32,
    /// The location of the body's first byte. No operator has it: bodies start with their locals.
    pub(crate) location: u32,
    /// The calls there is something to say of, by ascending offset.
    sites: Vec<Site>,
}

/// A call operator.
#[derive(Debug)]
pub(crate) struct Site {
    /// Offset of the operator in the module.
    offset: u32,
    /// It has never been executed.
    pub(crate) cold: bool,
    /// All its calls went to functions in `targets`.
    pub(crate) complete: bool,
    /// What to inline: for a direct call one, for others by falling count.
    pub(crate) targets: Vec<Inlinee>,
}

/// A target of a call that is inlined.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inlinee {
    /// The function.
    pub(crate) function: FuncIndex,
    /// The node of its body.
    pub(crate) node: usize,
    /// How often it was called.
    count: u32,
}

/// A call that might be inlined; the greatest is the best.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Candidate {
    score: i64,
    /// Among equals the first found.
    order: Reverse<usize>,
    parent: usize,
    call: u32,
    function: FuncIndex,
    count: u32,
    size: usize,
    /// All calls of the site.
    all: u32,
}

/// What the planner needs to know of a body.
struct Summary {
    calls: Vec<(Call, u32)>,
    has_tail_call: bool,
    locals: u32,
}

impl<'a> Plan<'a> {
    /// Plans the compilation of a function; none if there is no feedback at all.
    ///
    /// # Errors
    /// Bytes that are not in the format.
    pub(crate) fn make(request: &Request<'a>) -> Result<Option<Plan<'a>>, DecodeError> {
        let Some(source) = request.feedback else { return Ok(None) };
        let mut planner = Planner {
            module: request.module,
            nodes: Vec::new(),
            next_location: 0,
            candidates: BinaryHeap::new(),
            order: 0,
            summaries: HashMap::new(),
            feedback: HashMap::new(),
            source: &|function| source.feedback(function),
            is_valid: &|function| source.is_valid(function),
        };
        planner.plan(request)?;
        let mut nodes = planner.nodes;
        for site in nodes.iter_mut().flat_map(|node| &mut node.sites) {
            site.targets.sort_by_key(|target| Reverse(target.count));
        }
        Ok(Some(Plan { nodes }))
    }

    /// What there is to say of the call at this offset in the body of a node.
    pub(crate) fn site(&self, node: usize, offset: usize) -> Option<&Site> {
        let sites = &self.nodes[node].sites;
        let at = sites.binary_search_by_key(&offset, |site| site.offset as usize).ok()?;
        Some(&sites[at])
    }

    /// The inlined calls, as backtraces need them.
    pub(crate) fn inlined(&self) -> Vec<InlinedCall> {
        let call = |node: &Node<'_>| InlinedCall {
            parent: node.parent as u32,
            function: node.function,
            wasm_offset: node.call,
        };
        self.nodes[1..].iter().map(call).collect()
    }

    /// The frame that a location belongs to, and its offset in the module; none for what stands before the first operator.
    pub(crate) fn locate(&self, location: u32) -> (u32, Option<u32>) {
        let frame = self.nodes.partition_point(|node| node.location <= location).saturating_sub(1);
        let node = &self.nodes[frame];
        let offset = location.checked_sub(node.location).filter(|&offset| offset != 0);
        (frame as u32, offset.map(|offset| node.body.offset as u32 + offset))
    }
}

struct Planner<'a, 's> {
    module: &'a ModuleEnv<'a>,
    nodes: Vec<Node<'a>>,
    next_location: u32,
    candidates: BinaryHeap<Candidate>,
    order: usize,
    summaries: HashMap<DefinedFuncIndex, Rc<Summary>>,
    feedback: HashMap<DefinedFuncIndex, Option<Rc<FunctionFeedback>>>,
    source: &'s dyn Fn(DefinedFuncIndex) -> Option<FunctionFeedback>,
    is_valid: &'s dyn Fn(DefinedFuncIndex) -> bool,
}

impl<'a> Planner<'a, '_> {
    fn plan(&mut self, request: &Request<'a>) -> Result<(), DecodeError> {
        let body = request.body;
        // The function's own locations are the offsets in the module.
        self.next_location = body.offset as u32;
        self.push_node(request.function, 0, 0, 0);
        self.expand(0)?;
        let initial = body.bytes.len();
        let budget = budget(initial, small_share(self.module.info));
        let (mut spent, mut counted) = (initial, 0);
        while let Some(candidate) = self.candidates.pop() {
            let is_tiny = candidate.size <= TINY;
            let cost = candidate.size.saturating_sub(CALL_BYTES);
            let full = counted >= MAX_NODES || spent + cost > budget;
            if self.nodes.len() >= MAX_ALL_NODES || !is_tiny && full {
                continue;
            }
            if self.accept(&candidate)? {
                spent += cost;
                counted += usize::from(!is_tiny);
            }
        }
        Ok(())
    }

    /// Makes a candidate a node, unless its body is of a kind that is not inlined.
    fn accept(&mut self, candidate: &Candidate) -> Result<bool, DecodeError> {
        let Some(function) = self.module.info.defined_func_index(candidate.function) else { return Ok(false) };
        let depth = self.nodes[candidate.parent].depth + 1;
        let summary = self.summary(function)?;
        if depth > MAX_DEPTH || summary.has_tail_call || summary.locals > MAX_LOCALS {
            return Ok(false);
        }
        let node = self.push_node(function, candidate.parent, candidate.call, depth);
        let inlinee = Inlinee { function: candidate.function, node, count: candidate.count };
        let sites = &mut self.nodes[candidate.parent].sites;
        let at = match sites.binary_search_by_key(&candidate.call, |site| site.offset) {
            Ok(at) => at,
            Err(at) => {
                sites.insert(at, Site { offset: candidate.call, cold: false, complete: false, targets: Vec::new() });
                at
            }
        };
        sites[at].targets.push(inlinee);
        let covered = sites[at].targets.iter().map(|target| u64::from(target.count)).sum::<u64>();
        sites[at].complete = covered >= u64::from(candidate.all);
        self.expand(node)?;
        Ok(true)
    }

    fn push_node(&mut self, function: DefinedFuncIndex, parent: usize, call: u32, depth: u32) -> usize {
        let body = self.module.body(function);
        let location = self.next_location;
        self.next_location += body.bytes.len() as u32;
        self.nodes.push(Node { function, body, parent, call, depth, location, sites: Vec::new() });
        self.nodes.len() - 1
    }

    /// Looks at the calls of a node.
    fn expand(&mut self, node: usize) -> Result<(), DecodeError> {
        let function = self.nodes[node].function;
        let summary = self.summary(function)?;
        let feedback = self.feedback(function);
        for &(call, at) in &summary.calls {
            let site = feedback.as_deref().map(|feedback| feedback.site(at));
            match (call, site) {
                (_, Some(Some(site))) if site.count == 0 => {
                    self.nodes[node].sites.push(Site { offset: at, cold: true, complete: false, targets: Vec::new() });
                }
                (Call::Call(callee), Some(Some(site))) => self.consider(node, site, callee, site.count),
                (Call::Call(callee), None | Some(None)) => self.consider_unseen(node, at, callee),
                (Call::CallIndirect { ty, .. } | Call::CallRef(ty), Some(Some(site))) => {
                    for &(target, count) in site.targets.iter().flatten() {
                        if count > 0 && self.is_guardable(target, ty) {
                            self.consider(node, site, target, count);
                        }
                    }
                }
                (Call::CallIndirect { .. } | Call::CallRef(_), None | Some(None))
                | (Call::ReturnCall(_) | Call::ReturnCallIndirect { .. } | Call::ReturnCallRef(_), _) => {}
            }
        }
        Ok(())
    }

    /// A call that has happened.
    fn consider(&mut self, parent: usize, site: &SiteFeedback, function: FuncIndex, count: u32) {
        let Some(size) = self.size(function) else { return };
        if size > TINY && (size > MAX_INLINED || (count as usize) < size / 2) {
            return;
        }
        let score = 2 * i64::from(count) - 3 * size as i64;
        self.push_candidate(Candidate {
            score,
            order: Reverse(self.order),
            parent,
            call: site.wasm_offset,
            function,
            count,
            size,
            all: site.count,
        });
    }

    /// A direct call of which nothing is known.
    fn consider_unseen(&mut self, parent: usize, call: u32, function: FuncIndex) {
        let Some(size) = self.size(function).filter(|&size| size <= TINY) else { return };
        let (score, order) = (-3 * size as i64, Reverse(self.order));
        self.push_candidate(Candidate { score, order, parent, call, function, count: 0, size, all: 0 });
    }

    fn push_candidate(&mut self, candidate: Candidate) {
        self.order += 1;
        self.candidates.push(candidate);
    }

    /// The size of a function's body; none for an import, or a body that may not be read.
    fn size(&self, function: FuncIndex) -> Option<usize> {
        let defined = self.module.info.defined_func_index(function).filter(|&defined| (self.is_valid)(defined))?;
        Some(self.module.info.bodies.get(defined.index())?.len())
    }

    /// Can a call of functions of type `ty` be compared with this function, and is it of that type?
    fn is_guardable(&self, function: FuncIndex, ty: TypeIndex) -> bool {
        let info = self.module.info;
        let own = info.functions.get(function.index()).copied();
        self.module.layout.func_ref(function).is_some() && own.is_some_and(|own| is_same_type(info, own, ty))
    }

    fn feedback(&mut self, function: DefinedFuncIndex) -> Option<Rc<FunctionFeedback>> {
        self.feedback.entry(function).or_insert_with(|| (self.source)(function).map(Rc::new)).clone()
    }

    fn summary(&mut self, function: DefinedFuncIndex) -> Result<Rc<Summary>, DecodeError> {
        if let Some(summary) = self.summaries.get(&function) {
            return Ok(summary.clone());
        }
        let body = self.module.body(function);
        let params = self.module.info.func_type(self.module.info.func_index(function)).params().len() as u32;
        let summary = Rc::new(Summary::of(body, params)?);
        self.summaries.insert(function, summary.clone());
        Ok(summary)
    }
}

impl Summary {
    fn of(body: FunctionBody<'_>, params: u32) -> Result<Summary, DecodeError> {
        let mut reader = BodyReader::new(body.bytes, body.offset);
        let declared = reader.locals()?.iter().fold(params, |sum, &(count, _)| sum.saturating_add(count));
        let mut summary = Summary { calls: Vec::new(), has_tail_call: false, locals: declared };
        while let Some((operator, at)) = reader.next_operator()? {
            let Operator::Call(call) = operator else { continue };
            match call {
                Call::Call(_) | Call::CallIndirect { .. } | Call::CallRef(_) => summary.calls.push((call, at as u32)),
                Call::ReturnCall(_) | Call::ReturnCallIndirect { .. } | Call::ReturnCallRef(_) => {
                    summary.has_tail_call = true;
                }
            }
        }
        Ok(summary)
    }
}

/// How large a function of `initial` bytes may become. Modules of many small functions, as compilers make that leave
/// inlining to the engine, may grow more.
fn budget(initial: usize, small_share: f64) -> usize {
    // From a quarter of small functions to half of them.
    let t = ((small_share - 0.25) * 4.0).clamp(0.0, 1.0);
    let growth = 2.0 + 3.0 * t;
    let cap = 700.0 + 6300.0 * t;
    let most = cap.max(1.1 * initial as f64);
    ((growth * initial as f64).max(MIN_BUDGET as f64)).min(most) as usize
}

/// The share of functions of less than 50 bytes, from a sample.
fn small_share(info: &ModuleInfo) -> f64 {
    const SAMPLES: usize = 1024;
    let step = info.bodies.len().div_ceil(SAMPLES).max(1);
    let sizes = info.bodies.iter().step_by(step).map(|range| range.len());
    let (small, all) = sizes.fold((0u32, 0u32), |(small, all), size| (small + u32::from(size < 50), all + 1));
    f64::from(small) / f64::from(all.max(1))
}

/// Are these surely the same type? Types that refer to others count as different unless they are one.
fn is_same_type(info: &ModuleInfo, a: TypeIndex, b: TypeIndex) -> bool {
    if a == b {
        return true;
    }
    let refers = |ty: &ValType| matches!(ty, ValType::Ref(ty) if matches!(ty.heap, HeapType::Concrete(_)));
    let plain = |ty: &FuncType| !ty.params().iter().chain(ty.results()).any(refers);
    let alone = |index: TypeIndex| {
        let after = info.rec_groups.partition_point(|group| group.range().start <= index.index());
        info.rec_groups[..after].iter().rfind(|group| group.len != 0).is_some_and(|group| group.len == 1)
    };
    let (Some(first), Some(second)) = (info.types.get(a.index()), info.types.get(b.index())) else { return false };
    first == second && first.supertype.is_none() && first.as_func().is_some_and(plain) && alone(a) && alone(b)
}
