//! Any bytes, and valid modules with a few bytes changed: decoding and validating gives a module or an error with an
//! offset inside the input, the same one however the bytes are cut.
//!
//! An input is: a byte of flags, the sizes of the first pieces, then either the module (so that a file with a zero byte
//! in front is a seed), or the changes and what `wasm-smith` makes a module of.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use wasm::decode::stream::{Decoded, StreamDecoder, decode};
use wasm::features::Features;
use wasm::limits::Limits;

/// The bytes, and the sizes of the pieces in which they come.
fn input(data: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut input = Unstructured::new(data);
    let flags = u8::arbitrary(&mut input)?;
    let cuts = input.bytes(usize::from(flags >> 1 & 7))?.to_vec();
    if flags & 1 == 0 {
        return Ok((input.take_rest().to_vec(), cuts));
    }
    let changes: Vec<(u16, u8)> = (0..flags >> 4).map(|_| input.arbitrary()).collect::<Result<_>>()?;
    let config = wasm_smith::Config::arbitrary(&mut input)?;
    let mut bytes = wasm_smith::Module::new(config, &mut input)?.to_bytes();
    for (at, value) in changes {
        let at = usize::from(at) % bytes.len();
        bytes[at] = value;
    }
    Ok((bytes, cuts))
}

fuzz_target!(|data: &[u8]| {
    let Ok((bytes, cuts)) = input(data) else { return };
    let (features, limits) = (Features::default(), Limits::default());
    let whole = decode(&bytes, &features, &limits);

    let mut decoder = StreamDecoder::new(&features, &limits);
    let mut end = 0;
    for cut in cuts {
        end = (end + usize::from(cut)).min(bytes.len());
        decoder.advance(&bytes[..end]);
    }
    let streamed = decoder.finish(&bytes, 0);

    match (whole, streamed) {
        (Ok(whole), Ok(streamed)) => {
            let all = |decoded: &Decoded, threads| decoded.bodies.validate_all(&decoded.info, &bytes, threads);
            let (whole, streamed) = (all(&whole, 1), all(&streamed, 2));
            if let Err(error) = &whole {
                assert!(error.offset() <= bytes.len());
            }
            assert_eq!(whole.map_err(|error| error.to_string()), streamed.map_err(|error| error.to_string()));
        }
        (Err(whole), Err(streamed)) => {
            assert_eq!(whole.to_string(), streamed.to_string());
            assert!(whole.offset() <= bytes.len());
        }
        (whole, streamed) => panic!("cutting changed the outcome: {:?} / {:?}", whole.err(), streamed.err()),
    }
});
