//! A reader of as much TOML as manifests and data files of this repository use: tables, arrays of tables, `key = value`
//! with values that may go over several lines.

/// One `key = value`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Line of the key, from 1.
    pub line: usize,
    /// Parts of the table's name; empty at the top.
    pub table: Vec<String>,
    /// How many headers came before, so that tables of one array can be told apart.
    pub header: usize,
    /// The key as written, dots included.
    pub key: String,
    /// The value as written, on one line.
    pub value: String,
}

/// A line that is not understood.
#[derive(PartialEq, Eq, Debug)]
pub struct Malformed {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: &'static str,
}

#[cfg(test)]
mod tests;

/// All entries of a file, in order.
///
/// # Errors
/// The first line that is neither a header nor an entry, or a value that does not end.
pub fn entries(text: &str) -> Result<Vec<Entry>, Malformed> {
    let (mut entries, mut table, mut header) = (Vec::new(), Vec::new(), 0);
    let mut lines = text.lines().enumerate();
    while let Some((index, raw)) = lines.next() {
        let line = index + 1;
        let content = without_comment(raw).trim();
        if content.is_empty() {
            continue;
        }
        if content.starts_with('[') {
            let Some(name) = content.strip_prefix('[').and_then(|name| name.strip_suffix(']')) else {
                return Err(Malformed { line, message: "a table header that does not end" });
            };
            let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
            table = split_outside(name, '.').into_iter().map(unquoted).collect();
            header += 1;
            continue;
        }
        let Some((key, value)) = split_once_outside(content, '=') else {
            return Err(Malformed { line, message: "neither a table header nor `key = value`" });
        };
        let mut value = value.trim().to_owned();
        while !balanced(&value) {
            let Some((_, next)) = lines.next() else {
                return Err(Malformed { line, message: "a value that does not end" });
            };
            value.push(' ');
            value.push_str(without_comment(next).trim());
        }
        if value.is_empty() {
            return Err(Malformed { line, message: "a key without a value" });
        }
        entries.push(Entry { line, table: table.clone(), header, key: unquoted(key), value });
    }
    Ok(entries)
}

/// Which section of a manifest names a dependency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Section {
    /// What the product is built of.
    Normal,
    /// For build scripts.
    Build,
    /// For tests.
    Dev,
}

/// A dependency as a manifest names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dependency {
    /// Line of its (first) entry.
    pub line: usize,
    /// Where it stands.
    pub section: Section,
    /// Name it is used by.
    pub key: String,
    /// `package`, if renamed.
    pub package: Option<String>,
    /// `path`, if it is one of ours.
    pub path: Option<String>,
    /// Taken from the workspace's table?
    pub workspace: bool,
}

/// The dependencies of a manifest, those of target-specific tables included. For a workspace's root, the entries of
/// `[workspace.dependencies]`.
pub fn dependencies(entries: &[Entry]) -> Vec<Dependency> {
    let mut found: Vec<Dependency> = Vec::new();
    for entry in entries {
        let Some((section, mut path)) = dependency_path(entry) else { continue };
        let key = path.remove(0);
        let known = found.iter().position(|dependency| dependency.key == key && dependency.section == section);
        let at = known.unwrap_or_else(|| {
            found.push(Dependency { line: entry.line, section, key, package: None, path: None, workspace: false });
            found.len() - 1
        });
        let fields = match path.first() {
            Some(field) => vec![(field.clone(), entry.value.clone())],
            None => inline_table(&entry.value),
        };
        for (field, value) in fields {
            match field.as_str() {
                "package" => found[at].package = Some(unquoted(&value)),
                "path" => found[at].path = Some(unquoted(&value)),
                "workspace" => found[at].workspace = value == "true",
                _ => {}
            }
        }
    }
    found
}

/// The section an entry belongs to, and what follows: the dependency's key, then perhaps one of its fields.
fn dependency_path(entry: &Entry) -> Option<(Section, Vec<String>)> {
    let mut path = entry.table.clone();
    path.extend(split_outside(&entry.key, '.').into_iter().map(unquoted));
    let (at, section) = path.iter().enumerate().find_map(|(at, part)| match part.as_str() {
        "dependencies" => Some((at, Section::Normal)),
        "build-dependencies" => Some((at, Section::Build)),
        "dev-dependencies" => Some((at, Section::Dev)),
        _ => None,
    })?;
    let tail = path.split_off(at + 1);
    (!tail.is_empty()).then_some((section, tail))
}

/// The pairs of `{ key = value, .. }`; none if the value is something else.
fn inline_table(value: &str) -> Vec<(String, String)> {
    let Some(inside) = value.strip_prefix('{').and_then(|value| value.strip_suffix('}')) else { return Vec::new() };
    split_outside(inside, ',')
        .into_iter()
        .filter_map(|pair| split_once_outside(pair, '='))
        .map(|(key, value)| (unquoted(key), value.trim().to_owned()))
        .collect()
}

/// A string without its quotes, or any other text as it is, trimmed.
pub fn unquoted(text: &str) -> String {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some(inside) = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote)) {
            return inside.to_owned();
        }
    }
    text.to_owned()
}

/// Positions of characters outside strings, with the depth of brackets they are at (an opening bracket counts itself).
fn outside(text: &str) -> impl Iterator<Item = (usize, char, i32)> {
    let (mut quote, mut escaped, mut depth) = (None, false, 0);
    text.char_indices().filter_map(move |(at, character)| {
        if let Some(open) = quote {
            let closes = character == open && !escaped;
            escaped = open == '"' && character == '\\' && !escaped;
            if closes {
                quote = None;
            }
            return None;
        }
        match character {
            '"' | '\'' => {
                (quote, escaped) = (Some(character), false);
                return None;
            }
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            _ => {}
        }
        Some((at, character, depth))
    })
}

fn without_comment(line: &str) -> &str {
    match outside(line).find(|&(_, character, _)| character == '#') {
        Some((at, _, _)) => &line[..at],
        None => line,
    }
}

fn balanced(value: &str) -> bool {
    outside(value).last().is_none_or(|(_, _, depth)| depth <= 0)
}

fn split_outside(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    for (at, character, depth) in outside(text) {
        if character == separator && depth == 0 {
            parts.push(&text[start..at]);
            start = at + character.len_utf8();
        }
    }
    parts.push(&text[start..]);
    parts
}

fn split_once_outside(text: &str, separator: char) -> Option<(&str, &str)> {
    let (at, _, _) = outside(text).find(|&(_, character, depth)| character == separator && depth == 0)?;
    Some((&text[..at], &text[at + separator.len_utf8()..]))
}
