//! Whether a WebAssembly program begins by itself when it is instantiated: a module by its start function, a component by
//! that of a module in it or by its own. An instance of such a program cannot be made before its run.

use wasmparser::{Parser, Payload};

/// Whether anything of a binary runs when it is instantiated; `true` as well where it cannot be read.
#[must_use]
pub fn starts_by_itself(binary: &[u8]) -> bool {
    Parser::new(0).parse_all(binary).any(|payload| {
        matches!(payload, Ok(Payload::StartSection { .. } | Payload::ComponentStartSection { .. }) | Err(_))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_functions_are_found_however_deep() {
        let check = |text: &str, expected: bool| {
            assert_eq!(starts_by_itself(&wat::parse_str(text).unwrap()), expected, "{text}");
        };
        check("(module (func (export \"_start\")))", false);
        check("(module (func $f) (start $f))", true);
        check("(component (core module (func (export \"f\"))))", false);
        check("(component (core module (func $f) (start $f)))", true);
        assert!(starts_by_itself(b"\0asm"));
    }
}
