//! Where `random_get` takes its bytes from.

use crate::errno::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

/// A source of random bytes for a guest.
#[derive(Clone, Debug, Default)]
pub enum Random {
    /// The host's secure generator.
    #[default]
    System,
    /// A sequence that depends on a seed alone, for runs that must repeat exactly. Not secure.
    Seeded(SeededRandom),
}

/// The generator behind [`Random::Seeded`]: SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct SeededRandom {
    state: u64,
}

impl SeededRandom {
    /// A generator whose sequence is fixed by `seed`.
    pub fn new(seed: u64) -> SeededRandom {
        SeededRandom { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Random {
    pub(crate) fn fill(&mut self, out: &mut [u8]) -> Result<(), Errno> {
        match self {
            Random::System => fill_from_host(out),
            Random::Seeded(random) => {
                for chunk in out.chunks_mut(8) {
                    let bytes = random.next().to_le_bytes();
                    chunk.copy_from_slice(&bytes[..chunk.len()]);
                }
                Ok(())
            }
        }
    }
}

/// Linux gives at most 32 MiB at once and may be interrupted.
fn fill_from_host(mut out: &mut [u8]) -> Result<(), Errno> {
    while !out.is_empty() {
        match getrandom(&mut *out, GetRandomFlags::empty()) {
            Ok(count) => out = out.get_mut(count..).ok_or(Errno::Io)?,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
