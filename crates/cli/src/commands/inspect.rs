//! `upshift inspect`: what a module is made of, what it needs and what it gives.

use std::ffi::OsString;
use std::process::ExitCode;

use upshift::{Engine, Module, Result};

use crate::quantity::show_bytes;
use crate::sections::{self, Section};
use crate::table::Table;
use crate::{input, output};

/// Show a module's sections, imports, exports, producers, and the proposals it uses
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  upshift inspect module.wasm | less")]
pub(crate) struct Args {
    /// The module (.wasm, .wat, or `-` for standard input).
    #[arg(value_name = "FILE")]
    file: OsString,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let name = input::name(&args.file);
    let module = input::compile(&Engine::default(), &args.file)?;
    let binary = module.wire_bytes();
    let mut text = format!("{name}: {}, {} functions\n", show_bytes(binary.len() as u64), module.functions().len());
    if let Some(name) = module.name() {
        text += &format!("name: {name}\n");
    }
    let proposals: Vec<&str> = module.used_proposals().collect();
    let none = "none beyond the first version of the language".to_string();
    text += &format!("proposals used: {}\n", if proposals.is_empty() { none } else { proposals.join(", ") });
    let sections = sections::sections(binary);
    text += &producers(binary, &sections);
    text += &titled("Sections", &section_table(&sections));
    text += &titled("Imports", &imports(&module));
    text += &titled("Exports", &exports(&module));
    output::print(output::Printable(&text))?;
    Ok(ExitCode::SUCCESS)
}

fn titled(title: &str, table: &Table) -> String {
    if table.is_empty() { String::new() } else { format!("\n{title}\n{table}") }
}

fn producers(binary: &[u8], sections: &[Section]) -> String {
    let section = sections.iter().find(|section| section.id == 0 && section.name == "producers");
    let Some(section) = section else { return String::new() };
    let mut text = String::from("\nProducers\n");
    for field in sections::producers(&binary[section.contents.clone()]) {
        let version = |(name, version): &(String, String)| format!("{name} {version}").trim_end().to_string();
        let values: Vec<String> = field.values.iter().map(version).collect();
        text += &format!("  {}: {}\n", field.field, values.join(", "));
    }
    text
}

fn section_table(sections: &[Section]) -> Table {
    let mut table = Table::new(&["section", ">offset", ">bytes", ">entries"]);
    for Section { id, name, contents, count } in sections {
        let name = if *id == 0 { format!("custom \"{name}\"") } else { name.clone() };
        let count = count.map_or(String::new(), |count| count.to_string());
        table.row([name, format!("{:#x}", contents.start), contents.len().to_string(), count]);
    }
    table
}

fn imports(module: &Module) -> Table {
    let mut table = Table::new(&["module", "name", "type"]);
    for import in module.imports() {
        table.row([import.module().to_string(), import.name().to_string(), import.ty().to_string()]);
    }
    table
}

fn exports(module: &Module) -> Table {
    let mut table = Table::new(&["name", "type"]);
    for export in module.exports() {
        table.row([export.name().to_string(), export.ty().to_string()]);
    }
    table
}
