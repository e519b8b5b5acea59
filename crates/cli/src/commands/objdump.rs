//! `upshift objdump`: the functions of a module, Wasm and machine code interleaved.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use iced_x86::{Decoder, DecoderOptions, Formatter, Instruction, IntelFormatter};
use upshift::{CodeInfo, Config, Engine, Error, FunctionInfo, Module, Result, Tier as EngineTier, TierChoice};

use crate::tiering::Tier;
use crate::{input, output};

/// Show functions as Wasm and machine code, interleaved
///
/// Each Wasm instruction is followed by the machine code made from it, where there is some; the compiler moves code, so one
/// instruction may appear several times. Instructions of other functions were inlined, and say so. Nothing has run, so that
/// the optimizing tier does not know what is hot: in a program that runs it may inline more.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The tier whose code is shown; `auto` shows both that a function gets, first the baseline tier's, which counts.
    #[arg(long, value_enum, default_value_t, value_name = "TIER")]
    tier: Tier,

    /// Only this function, by its index or its name in the name section.
    #[arg(long, alias = "func", value_name = "N|NAME")]
    function: Option<String>,

    /// The module (.wasm, .wat, or `-` for standard input).
    #[arg(value_name = "FILE")]
    file: OsString,
}

const EXAMPLES: &str = "\
Examples:
  upshift objdump math.wat
  upshift objdump --function add --tier optimizing math.wat
  upshift objdump --function 7 module.wasm | less";

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let choice = args.tier.choice()?;
    let tiers: &[EngineTier] = match choice {
        TierChoice::Auto => EngineTier::ALL,
        TierChoice::Baseline => &[EngineTier::Baseline],
        TierChoice::Optimizing => &[EngineTier::Optimizing],
    };
    let engine = Engine::new(Config::new().tier(choice))?;
    let module = input::compile(&engine, &args.file)?;
    let chosen: Vec<FunctionInfo<'_>> = match &args.function {
        None => module.functions().collect(),
        Some(wanted) => vec![find(&module, wanted)?],
    };
    let mut bodies = Bodies::new(&module);
    let mut out = BufWriter::new(io::stdout().lock());
    for (function, &tier) in chosen.iter().flat_map(|function| tiers.iter().map(move |tier| (function, tier))) {
        let operators = module.operators(function.index)?;
        let code = module.code_in(function.index, tier)?;
        match write_function(&mut out, &mut bodies, function, &operators, &code) {
            Ok(()) => {}
            stopped => return output::ignore_closed(stopped).map(|()| ExitCode::SUCCESS),
        }
    }
    output::ignore_closed(out.flush())?;
    Ok(ExitCode::SUCCESS)
}

/// The function of an index or a name.
fn find<'module>(module: &'module Module, wanted: &str) -> Result<FunctionInfo<'module>> {
    let index: Option<u32> = wanted.parse().ok();
    let found = module.functions().find(|function| match index {
        Some(index) => function.index == index,
        None => function.name == Some(wanted.trim_start_matches('$')),
    });
    let imported = index.is_some_and(|index| module.function_type(index).is_some());
    found.ok_or_else(|| {
        let ends = module.functions().next().zip(module.functions().last());
        let which = match ends {
            Some((first, last)) => format!("it defines {} to {}", first.index, last.index),
            None => "it defines none".to_string(),
        };
        let what = if imported { "is imported and has no code here" } else { "is not a function of the module" };
        Error::msg(format!("`{wanted}` {what}; {which} (by index, or by a name of the name section)"))
    })
}

fn write_function(
    out: &mut impl Write,
    bodies: &mut Bodies<'_>,
    function: &FunctionInfo<'_>,
    operators: &[(usize, String)],
    code: &CodeInfo,
) -> io::Result<()> {
    let name = shown_name(function);
    let ty = bodies.module.function_type(function.index).map_or(String::new(), |ty| format!(" {ty}"));
    writeln!(out, "func {}{name}{ty}", function.index)?;
    writeln!(
        out,
        "  {} bytes of Wasm at {:#x}, {} bytes of machine code by the {} tier",
        function.len,
        function.offset,
        code.bytes.len(),
        code.tier
    )?;
    let mut next_operator = 0;
    for (range, wasm_offset) in runs(code) {
        if let Some(wasm_offset) = wasm_offset.filter(|&offset| !is_in(function, offset)) {
            writeln!(out, "{wasm_offset:#8x}  {}", bodies.inlined(wasm_offset))?;
        } else if let Some(wasm_offset) = wasm_offset {
            // What made no code of its own is shown before the next that did.
            let upto = operators.partition_point(|(at, _)| *at <= wasm_offset as usize);
            for (at, text) in operators.get(next_operator..upto).unwrap_or_default() {
                writeln!(out, "{at:#8x}  {text}")?;
            }
            if upto <= next_operator && upto > 0 {
                let (at, text) = &operators[upto - 1];
                writeln!(out, "{at:#8x}  {text}  ;; again")?;
            }
            next_operator = next_operator.max(upto);
        }
        write_code(out, code, range)?;
    }
    for (at, text) in operators.get(next_operator..).unwrap_or_default() {
        writeln!(out, "{at:#8x}  {text}")?;
    }
    writeln!(out)
}

fn shown_name(function: &FunctionInfo<'_>) -> String {
    function.name.map_or(String::new(), |name| format!(" ${}", output::Printable(name)))
}

/// Is the instruction at this offset of the module in the body of the function?
fn is_in(function: &FunctionInfo<'_>, offset: u32) -> bool {
    (function.offset..function.offset + function.len).contains(&(offset as usize))
}

/// The bodies of a module's functions, to tell where inlined code is from.
struct Bodies<'module> {
    module: &'module Module,
    /// In the order of the bodies.
    functions: Vec<FunctionInfo<'module>>,
    operators: HashMap<u32, Vec<(usize, String)>>,
}

impl Bodies<'_> {
    fn new(module: &Module) -> Bodies<'_> {
        Bodies { module, functions: module.functions().collect(), operators: HashMap::new() }
    }

    /// The instruction at an offset that lies in the body of another function, which was inlined.
    fn inlined(&mut self, offset: u32) -> String {
        let at = self.functions.partition_point(|function| function.offset <= offset as usize);
        let function = at.checked_sub(1).map(|at| &self.functions[at]).filter(|function| is_in(function, offset));
        let Some(from) = function else { return "?".to_string() };
        let module = self.module;
        let operators =
            self.operators.entry(from.index).or_insert_with(|| module.operators(from.index).unwrap_or_default());
        let found = operators.binary_search_by_key(&(offset as usize), |(at, _)| *at);
        let text = found.map_or("?", |at| operators[at].1.as_str());
        format!("{text}  ;; inlined from func {}{}", from.index, shown_name(from))
    }
}

/// Runs of machine code that belong to one instruction: offsets of code, and the instruction's.
fn runs(code: &CodeInfo) -> Vec<(std::ops::Range<usize>, Option<u32>)> {
    let mut starts: Vec<(usize, Option<u32>)> = code.positions.iter().map(|&(at, wasm)| (at as usize, wasm)).collect();
    if starts.first().is_none_or(|&(at, _)| at > 0) {
        starts.insert(0, (0, None));
    }
    starts.dedup_by(|next, run| next.1 == run.1);
    let ends = starts.iter().skip(1).map(|&(at, _)| at).chain([code.bytes.len()]);
    starts
        .iter()
        .zip(ends)
        .filter(|((start, _), end)| start < end)
        .map(|(&(start, wasm), end)| (start..end, wasm))
        .collect()
}

fn write_code(out: &mut impl Write, code: &CodeInfo, range: std::ops::Range<usize>) -> io::Result<()> {
    let Some(bytes) = code.bytes.get(range.clone()) else { return Ok(()) };
    let mut decoder = Decoder::with_ip(64, bytes, range.start as u64, DecoderOptions::NONE);
    let mut formatter = IntelFormatter::new();
    let mut instruction = Instruction::default();
    let mut text = String::new();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        text.clear();
        formatter.format(&instruction, &mut text);
        let at = instruction.ip();
        let trap = code.traps.iter().find(|(offset, _)| u64::from(*offset) == at);
        let trap = trap.map_or(String::new(), |(_, reason)| format!("  ;; trap: {reason}"));
        writeln!(out, "            {at:6x}  {text}{trap}")?;
    }
    Ok(())
}
