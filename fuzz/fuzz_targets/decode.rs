//! Any bytes: decoding and validating them gives a module or an error with an offset inside the input, the same one
//! however the bytes are cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wasm::decode::stream::{Decoder, decode};
use wasm::features::Features;
use wasm::limits::Limits;

fuzz_target!(|input: (Vec<u8>, Vec<u8>)| {
    let (bytes, cuts) = input;
    let (features, limits) = (Features::default(), Limits::default());
    let whole = decode(&bytes, &features, &limits);

    let mut decoder = Decoder::new(&features, &limits);
    let mut rest = &bytes[..];
    for cut in cuts {
        let (now, later) = rest.split_at(usize::from(cut).min(rest.len()));
        decoder.push(now);
        rest = later;
    }
    decoder.push(rest);
    let (collected, streamed) = decoder.finish();
    assert_eq!(collected, bytes);

    match (whole, streamed) {
        (Ok(whole), Ok(streamed)) => {
            let all = |decoded: &wasm::decode::stream::Decoded, threads| {
                decoded.bodies.validate_all(&decoded.info, &bytes, threads).map_err(|error| error.to_string())
            };
            assert_eq!(all(&whole, 1), all(&streamed, 2));
        }
        (Err(whole), Err(streamed)) => {
            assert_eq!(whole.to_string(), streamed.to_string());
            assert!(whole.offset() <= bytes.len());
        }
        (whole, streamed) => panic!("cutting changed the outcome: {:?} / {:?}", whole.err(), streamed.err()),
    }
});
