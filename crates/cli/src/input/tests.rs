//! What is a module, and what is not.

use super::*;

/// A file with these contents, gone when dropped.
struct Temporary(std::path::PathBuf);

impl Temporary {
    fn new(name: &str, contents: &[u8]) -> Temporary {
        let path = std::env::temp_dir().join(format!("upshift-input-{}-{name}", std::process::id()));
        fs::write(&path, contents).expect("a file of our own");
        Temporary(path)
    }

    fn compile(&self) -> Result<Module> {
        open(self.0.as_os_str())?.compile(&Engine::default(), &Progress::none())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn binary_and_text_give_modules() {
    let text = Temporary::new("text", b"(module (memory (export \"m\") 1))");
    let module = text.compile().expect("a module");
    let binary = Temporary::new("binary", module.wire_bytes());
    assert_eq!(binary.compile().expect("the same module").wire_bytes(), module.wire_bytes());
    assert_eq!(super::module(binary.0.as_os_str()).expect("bytes"), module.wire_bytes());
    assert_eq!(super::module(text.0.as_os_str()).expect("bytes"), module.wire_bytes());
}

#[test]
fn what_is_no_module_is_said_to_be_none() {
    let error = |contents: &[u8]| format!("{:#}", Temporary::new("bad", contents).compile().expect_err("no module"));
    assert!(error(b"").ends_with("is empty"));
    for contents in [&b"\0as"[..], b"\0", b"\x7fELF\0\0", b"PK\x03\x04\xff\xfe"] {
        assert!(error(contents).contains("begins with neither `\\0asm` nor text"), "{}", error(contents));
    }
    assert!(error(b"(module (fun))").contains("upshift-input-"));
    assert!(error(b"\0asm").contains("unexpected end of the module"));
    assert!(error(b"\0asm\x01\0\0\0\x20").contains("unexpected end of the module"));
    let missing = open(OsStr::new("/no/such/file")).err().expect("no file");
    assert!(format!("{missing:#}").contains("cannot read /no/such/file"));
}
