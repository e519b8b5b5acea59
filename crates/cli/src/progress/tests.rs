//! What the line says, and when it is there.

use upshift::Engine;

use super::*;

/// A terminal that remembers.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("text")
    }
}

#[test]
fn lines() {
    let second = Duration::from_secs(1);
    let line = |read, len| line("a.wasm", &Stage::Reading { read, len }, 2 * second).expect("a line");
    assert_eq!(line(1 << 20, None), "a.wasm reading 1.0 MiB, 512.0 KiB/s");
    let half = line(1 << 20, Some(2 << 20));
    assert_eq!(half, "a.wasm [############------------] reading 1.0 MiB of 2.0 MiB, 512.0 KiB/s");
    // A file that grows meanwhile, and one that is empty.
    assert!(line(3, Some(2)).starts_with("a.wasm [########################] "));
    assert!(line(0, Some(0)).starts_with("a.wasm [------------------------] "));
    let module = Module::new(&Engine::default(), "(module (func) (func))").expect("a module");
    module.compile_function(0).expect("code");
    let compiling = super::line("a.wasm", &Stage::Compiling(module), second);
    assert_eq!(compiling.as_deref(), Some("a.wasm [############------------] compiling 1 of 2 functions"));
    assert_eq!(super::line("a.wasm", &Stage::End, second), None);
}

#[test]
fn names_fit() {
    assert_eq!(shorten("/a/b/c.wasm"), "c.wasm");
    assert_eq!(shorten("a\x1b[2Jb\n.wasm"), "a[2Jb.wasm");
    let long = shorten(&"ü".repeat(100));
    assert_eq!((long.chars().count(), long.ends_with("...")), (NAME, true));
}

#[test]
fn what_is_done_soon_is_not_shown() {
    let screen = Screen::default();
    let progress = Progress::draw("a.wasm", Duration::from_secs(3600), screen.clone());
    let mut bytes = Vec::new();
    progress.of(&b"1234"[..], Some(4)).read_to_end(&mut bytes).expect("bytes");
    drop(progress);
    assert_eq!((bytes.as_slice(), screen.text().as_str()), (&b"1234"[..], ""));
}

#[test]
fn what_takes_long_is_shown_and_wiped_away() {
    let screen = Screen::default();
    let progress = Progress::draw("a.wasm", Duration::ZERO, screen.clone());
    let mut reader = progress.of(&b"12345678"[..], Some(8));
    reader.read_exact(&mut [0; 6]).expect("bytes");
    while !screen.text().contains("reading 6 B of 8 B") {
        std::thread::yield_now();
    }
    drop(reader);
    drop(progress);
    assert!(screen.text().ends_with("\r\x1b[K"), "{:?}", screen.text());
}
