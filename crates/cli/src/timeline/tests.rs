//! The page: nothing of the program becomes HTML, and the data is all there.

use super::*;
use crate::recorded::tests::recorded;

const HOSTILE: &str =
    r#"(module (func (@name "</script><img src=x onerror=alert(1)>&amp;\"'")) (func $plain (unreachable)))"#;

fn page(text: &str) -> String {
    let mut out = Vec::new();
    recorded(text, |recorded| write(&mut out, recorded).unwrap());
    String::from_utf8(out).unwrap()
}

fn data(page: &str) -> Value {
    let start = page.find("id=\"data\">").unwrap() + "id=\"data\">".len();
    let end = start + page[start..].find("</script>").unwrap();
    serde_json::from_str(&page[start..end]).unwrap()
}

#[test]
fn names_cannot_leave_their_place() {
    let page = page(HOSTILE);
    assert!(!page.contains("<img") && !page.contains("alert(1)</script>"));
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(page.contains("<title>&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;.wasm"));
    let functions = data(&page)["functions"].clone();
    let hostile = functions.as_array().unwrap().iter().find(|row| row[0] == 0).unwrap();
    assert_eq!(hostile[1], "</script><img src=x onerror=alert(1)>&amp;\"'");
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    let page = page(HOSTILE);
    for word in ["http://", "https://", "src=\"", "href=", "@import", "url(", "innerHTML", "eval("] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn the_data_says_what_happened() {
    let data = data(&page(HOSTILE));
    let functions = data["functions"].as_array().unwrap();
    assert_eq!(functions.len(), 2);
    for row in functions {
        let row = row.as_array().unwrap();
        assert_eq!(row.len(), 13);
        assert!(row[3].as_u64().unwrap() > 0, "baseline code");
        assert_eq!(row[4], 0, "no optimized code");
        let phases = row[12].as_array().unwrap();
        assert_eq!((phases.len(), phases[1].as_u64()), (2, Some(Phase::Baseline.number() as u64)));
        assert!(phases[0].as_u64() <= data["end"].as_u64());
    }
    assert_eq!(data["phases"].as_array().unwrap().len(), Phase::ALL.len());
}

#[test]
fn a_module_without_functions_has_a_page() {
    let page = page("(module)");
    assert_eq!(data(&page)["functions"].as_array().unwrap().len(), 0);
    assert!(page.contains("never compiled"));
}

#[test]
fn long_names_are_cut_between_characters() {
    let name = "\u{e4}".repeat(1000);
    assert_eq!(shorten(&name).chars().count(), NAME + 3);
    assert_eq!(shorten("short"), "short");
}

#[test]
fn text_is_escaped() {
    assert_eq!(Escaped("<a b=\"c\">'&\u{7}\n").to_string(), "&lt;a b=&quot;c&quot;&gt;&#39;&amp;\u{fffd}\n");
    let mut out = Vec::new();
    InScript(&mut out).write_all(br#"["</script>&",1]"#).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), r#"["\u003c/script\u003e\u0026",1]"#);
}

#[test]
fn values_accumulate_in_order() {
    assert_eq!(accumulate(vec![(5, 1), (3, 2), (5, -2), (9, 4)]), [(3, 2), (5, 1), (9, 5)]);
    assert_eq!(accumulate(Vec::new()), []);
}
