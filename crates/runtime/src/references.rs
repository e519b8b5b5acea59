//! The references to an instance's functions in its context, and how instances of one module share them.
//!
//! A reference to a function of the instance's own says where its code is, by the module's code table, and how far away the
//! context is: the same in every instance. In a module with thousands of functions in its tables, references are by far
//! the largest part of a context. So:
//! 1. The layout gives them pages of their own from [`MANY_REFERENCES`](abi::layout::MANY_REFERENCES) on.
//! 2. From the second instance on, the engine keeps an image of these pages with the module ([`ReferenceImage`]), and
//!    contexts map it copy-on-write.
//! 3. References to imported functions, which do differ, are zero in the image; each instance writes its own.

use std::sync::Arc;

use abi::layout::{FuncImport, FuncRef, LAYOUT_PAGE};
use code::native_module::NativeModule;
use sys::image::MemoryImage;
use sys::pages::page_size;
use wasm::types::FuncIndex;

use crate::context_memory::ContextMemory;

/// The pages of an instance context that hold function references, as they are in every instance of a module.
#[derive(Debug)]
pub struct ReferenceImage {
    pages: MemoryImage,
}

impl ReferenceImage {
    /// Is an image of the module's references worth making?
    pub fn is_wanted(module: &NativeModule) -> bool {
        module.layout().reference_pages().is_some() && LAYOUT_PAGE.is_multiple_of(page_size())
    }

    /// The image of a module, if it may have one. None also if the system refuses to make it.
    pub fn new(module: &NativeModule) -> Option<Arc<ReferenceImage>> {
        if !ReferenceImage::is_wanted(module) {
            return None;
        }
        let pages = module.layout().reference_pages()?;
        let mut contents = vec![0; pages.len()];
        for &function in &module.info().escaped_functions {
            let (Some(reference), Some(offset)) = (own_reference(module, function), module.layout().func_ref(function))
            else {
                continue;
            };
            let at = (offset - pages.start) as usize;
            // SAFETY: the bytes of a reference, which has no padding, and lies in the pages by its layout.
            unsafe {
                contents[at..at + size_of::<FuncRef>()].as_mut_ptr().cast::<FuncRef>().write_unaligned(reference)
            };
        }
        Some(Arc::new(ReferenceImage { pages: MemoryImage::new(&contents).ok()? }))
    }

    /// What it takes, in bytes: pages of a file in memory, which instances share.
    pub fn bytes(&self) -> usize {
        self.pages.len()
    }
}

/// The context of a new instance of the module: all zero but for its references to the module's own functions. Those to
/// imported functions are to be written later.
pub(crate) fn new_context(module: &NativeModule, image: Option<&ReferenceImage>) -> ContextMemory {
    let layout = module.layout();
    if let (Some(image), Some(pages)) = (image, layout.reference_pages())
        && let Ok(context) = ContextMemory::with_image(pages.start as usize, &image.pages)
    {
        return context;
    }
    let context = ContextMemory::new(layout.size() as usize);
    for &function in &module.info().escaped_functions {
        if let (Some(reference), Some(offset)) = (own_reference(module, function), layout.func_ref(function)) {
            // SAFETY: the layout has a reference here.
            unsafe { context.at::<FuncRef>(offset).write(reference) };
        }
    }
    context
}

/// Writes the reference to an imported function, if the layout has one.
pub(crate) fn write_imported(
    context: &ContextMemory,
    module: &NativeModule,
    function: FuncIndex,
    callee: FuncImport,
    is_host: bool,
) {
    let Some(offset) = module.layout().func_ref(function) else { return };
    let at = context.at::<FuncRef>(offset);
    let distance = FuncRef::distance_to(at, callee.vmctx);
    // SAFETY: the layout has a reference here.
    unsafe {
        at.write(FuncRef { slot: callee.slot, distance, type_id: type_id(module, function), is_host: is_host.into() })
    };
}

/// The reference to a defined function, wherever the context lies; none for an imported one.
fn own_reference(module: &NativeModule, function: FuncIndex) -> Option<FuncRef> {
    let defined = module.info().defined_func_index(function)?;
    let distance = -(module.layout().func_ref(function)? as isize);
    Some(FuncRef { slot: module.table().slot(defined), distance, type_id: type_id(module, function), is_host: 0 })
}

fn type_id(module: &NativeModule, function: FuncIndex) -> u32 {
    module.types().id(module.info().functions[function.index()]).0
}
