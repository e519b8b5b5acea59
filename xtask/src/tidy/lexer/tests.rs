//! Tests of the split into code and comments.

use super::{split, words};

fn code(source: &str) -> String {
    split(source).code
}

#[test]
fn comments_are_not_code() {
    let views = split("let a = 1; // one /* two\n/* three\n/* four */ five */ b();\n");
    assert_eq!(views.code, "let a = 1;              \n        \n                   b();\n");
    assert_eq!(views.comments.lines().nth(1), Some("/* three"));
}

#[test]
fn strings_are_blank() {
    assert_eq!(code(r#"f("a \" // b", 'c');"#), r#"f("         ", ' ');"#);
    assert_eq!(code("f(r#\"a\" \"#, b);"), "f(r#\"   \"#, b);");
    assert_eq!(code(r"f('\'', '\u{1}', 'é', 'a')"), r"f('  ', '     ', '  ', ' ')");
}

#[test]
fn lifetimes_are_code() {
    assert_eq!(code("fn f<'a>(x: &'a str) -> &'a str // '"), "fn f<'a>(x: &'a str) -> &'a str     ");
}

#[test]
fn lines_stay_in_place() {
    let source = "\"a\nb\"\n/*\n*/\nr\"\n\"\n";
    let views = split(source);
    assert_eq!(views.code.lines().count(), source.lines().count());
    assert_eq!(views.comments.lines().count(), source.lines().count());
}

#[test]
fn words_have_their_tails() {
    let found: Vec<_> = words("use libc::{a, b_c};").map(|(word, _)| word).collect();
    assert_eq!(found, ["use", "libc", "a", "b_c"]);
    assert_eq!(words("todo!()").next(), Some(("todo", "!()")));
}

#[test]
fn nothing_unfinished_hangs() {
    for source in ["\"", "'", "'\\", "/*", "r#\"", "r#", "//", "\\"] {
        assert_eq!(split(source).code.len(), source.len(), "{source}");
    }
}
