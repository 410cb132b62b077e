//! How much code a module's bytes hold, told from its section headers alone.
//!
//! Total on any bytes: what cannot be read counts as no code. Called by the trial and by the calibration.

use forewarm_types::Bytes;

/// Length of the magic number and version before the first section (WebAssembly core specification 5.5.16).
const HEADER: usize = 8;

/// Identifier of the code section (WebAssembly core specification 5.5.2).
const CODE: u8 = 10;

/// Bytes of the code section; 0 for a component, a module without code, or no module at all.
#[must_use]
pub(crate) fn code_bytes(module: &[u8]) -> Bytes {
    if !module.starts_with(b"\0asm\x01\0\0\0") {
        return Bytes::ZERO;
    }
    let mut rest = module.get(HEADER..).unwrap_or_default();
    while let Some((&id, after_id)) = rest.split_first() {
        let Some((length, body)) = unsigned(after_id) else { break };
        if id == CODE {
            return Bytes(u64::from(length).min(body.len() as u64));
        }
        let Some(next) = body.get(length as usize..) else { break };
        rest = next;
    }
    Bytes::ZERO
}

/// A LEB128 number of at most 32 bits, and what follows it.
fn unsigned(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((u32::try_from(value).ok()?, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{SplitMix64, programs};
    use proptest::prelude::*;

    #[test]
    fn finds_the_code_section() {
        let module = programs::random_module(20_000, &mut SplitMix64::new(7));
        let found = code_bytes(&module).0;
        assert!((18_000..60_000).contains(&found), "{found}");
        assert_eq!(code_bytes(&module[..40]).0.max(40), 40);
        assert_eq!(code_bytes(b"\0asm\x0d\0\x01\0"), Bytes::ZERO);
    }

    proptest! {
        #[test]
        fn total_on_any_bytes(tail in prop::collection::vec(any::<u8>(), 0..64)) {
            let module = [b"\0asm\x01\0\0\0".as_slice(), &tail].concat();
            prop_assert!(code_bytes(&module).0 <= tail.len() as u64);
        }
    }
}
