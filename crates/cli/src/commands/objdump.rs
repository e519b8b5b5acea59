//! `upshift objdump`: the functions of a module, Wasm and machine code interleaved.

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use iced_x86::{Decoder, DecoderOptions, Formatter, Instruction, IntelFormatter};
use upshift::{CodeInfo, Engine, Error, FunctionInfo, Module, Result};

use crate::{input, output};

/// Show functions as Wasm and machine code, interleaved
///
/// Each Wasm instruction is followed by the machine code made from it, where there is some; the compiler moves code, so one
/// instruction may appear several times.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  upshift objdump math.wat\n  upshift objdump --func add math.wat\n  \
    upshift objdump --func 7 module.wasm | less")]
pub(crate) struct Args {
    /// Only this function, by its index or its name in the name section or in the exports.
    #[arg(long, value_name = "N|NAME")]
    func: Option<String>,

    /// The module (.wasm, .wat, or `-` for standard input).
    #[arg(value_name = "FILE")]
    file: OsString,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let module = Module::from_binary(&Engine::default(), &input::module(&args.file)?)
        .map_err(|error| Error::msg(format!("{}: {error:#}", input::name(&args.file))))?;
    let chosen: Vec<FunctionInfo<'_>> = match &args.func {
        None => module.functions().collect(),
        Some(wanted) => vec![find(&module, wanted)?],
    };
    let mut out = BufWriter::new(io::stdout().lock());
    for function in chosen {
        module.compile_function(function.index)?;
        let operators = module.operators(function.index)?;
        let Some(code) = module.code(function.index) else { continue };
        match write_function(&mut out, &module, &function, &operators, &code) {
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
    module: &Module,
    function: &FunctionInfo<'_>,
    operators: &[(usize, String)],
    code: &CodeInfo,
) -> io::Result<()> {
    let name = function.name.map_or(String::new(), |name| format!(" ${}", output::Printable(name)));
    let ty = module.function_type(function.index).map_or(String::new(), |ty| format!(" {ty}"));
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
        if let Some(wasm_offset) = wasm_offset {
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
