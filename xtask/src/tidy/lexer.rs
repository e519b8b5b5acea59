//! Just enough of Rust's lexical grammar to tell code from comments and strings.

/// A source in two views. Both have the source's lines; what belongs to the other view, and the contents of strings and
/// character literals, is blank.
#[derive(PartialEq, Eq, Debug)]
pub struct Views {
    /// Code.
    pub code: String,
    /// Comments, with their markers.
    pub comments: String,
}

#[cfg(test)]
mod tests;

/// Splits a source. Never fails: what is not Rust gives some split.
pub fn split(source: &str) -> Views {
    let mut lexer = Lexer { source: source.as_bytes(), at: 0, code: Vec::new(), comments: Vec::new() };
    while lexer.at < lexer.source.len() {
        lexer.token();
    }
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Views { code: text(&lexer.code), comments: text(&lexer.comments) }
}

#[derive(Clone, Copy)]
enum View {
    Code,
    Comment,
    Neither,
}

struct Lexer<'a> {
    source: &'a [u8],
    at: usize,
    code: Vec<u8>,
    comments: Vec<u8>,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.source.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn take(&mut self, count: usize, view: View) {
        let end = (self.at + count).min(self.source.len());
        for &byte in &self.source[self.at..end] {
            let blank = if byte == b'\n' { b'\n' } else { b' ' };
            self.code.push(if matches!(view, View::Code) { byte } else { blank });
            self.comments.push(if matches!(view, View::Comment) { byte } else { blank });
        }
        self.at = end;
    }

    fn token(&mut self) {
        match self.peek(0) {
            b'/' if self.peek(1) == b'/' => self.line_comment(),
            b'/' if self.peek(1) == b'*' => self.block_comment(),
            b'"' => self.string(),
            b'\'' => self.quote(),
            byte if is_word(byte) => self.word(),
            _ => self.take(1, View::Code),
        }
    }

    fn line_comment(&mut self) {
        let rest = &self.source[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        self.take(length, View::Comment);
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        loop {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.take(2, View::Comment);
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.take(2, View::Comment);
                }
                _ => self.take(1, View::Comment),
            }
            if depth == 0 || self.at >= self.source.len() {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.take(1, View::Code);
        while self.at < self.source.len() && self.peek(0) != b'"' {
            self.take(if self.peek(0) == b'\\' { 2 } else { 1 }, View::Neither);
        }
        self.take(1, View::Code);
    }

    /// A character literal or a lifetime.
    fn quote(&mut self) {
        let character = match self.peek(1) {
            b'\\' => 2,
            first => match first.leading_ones() {
                0 | 1 => 1,
                length => length as usize,
            },
        };
        if self.peek(1) == b'\\' {
            self.take(1, View::Code);
            self.take(character, View::Neither);
            while self.at < self.source.len() && self.peek(0) != b'\'' {
                self.take(1, View::Neither);
            }
            self.take(1, View::Code);
        } else if self.peek(1 + character) == b'\'' {
            self.take(1, View::Code);
            self.take(character, View::Neither);
            self.take(1, View::Code);
        } else {
            self.take(1, View::Code);
        }
    }

    /// A word, which may turn out to be the prefix of a raw string.
    fn word(&mut self) {
        let rest = &self.source[self.at..];
        let length = rest.iter().position(|&byte| !is_word(byte)).unwrap_or(rest.len());
        let raw = matches!(&rest[..length], b"r" | b"br" | b"cr");
        self.take(length, View::Code);
        if !raw {
            return;
        }
        let hashes = self.source[self.at..].iter().take_while(|&&byte| byte == b'#').count();
        if self.peek(hashes) != b'"' {
            return;
        }
        self.take(hashes + 1, View::Code);
        let mut end = vec![b'"'];
        end.resize(hashes + 1, b'#');
        while self.at < self.source.len() && !self.source[self.at..].starts_with(&end) {
            self.take(1, View::Neither);
        }
        self.take(end.len(), View::Code);
    }
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

/// The words of a line of code, each with what follows it.
pub fn words(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let start = rest.bytes().position(is_word)?;
        let tail = &rest[start..];
        let end = tail.bytes().position(|byte| !is_word(byte)).unwrap_or(tail.len());
        rest = &tail[end..];
        Some((&tail[..end], rest))
    })
}
