//! The program inside a component: the core module that does its work, where that can be run by itself.
//!
//! Toolchains make most components of a command for WASI's first preview and an adapter that translates its calls to the
//! second (`wasm-tools component new --adapt`, and linkers that do the same). The command is in the component as it was, so
//! that it runs and is counted like any module; what the adapter executes is left out. Called by [`crate::trial`].

use wasmparser::{ExternalKind, Parser, Payload, TypeRef};

/// What such a command imports all of its functions from.
const PREVIEW: &str = "wasi_snapshot_preview1";

/// Where such a command begins (WASI application ABI).
const START: &str = "_start";

/// The only command for the first preview in a component; `None` where there is none, there are several, or the bytes are no
/// component.
#[must_use]
pub(crate) fn command(component: &[u8]) -> Option<&[u8]> {
    let mut found = None;
    for payload in Parser::new(0).parse_all(component) {
        let Payload::ModuleSection { unchecked_range, .. } = payload.ok()? else { continue };
        let module = component.get(unchecked_range)?;
        if is_command(module) {
            if found.is_some() {
                return None;
            }
            found = Some(module);
        }
    }
    found
}

/// Whether a module is a command that needs nothing but the first preview.
fn is_command(module: &[u8]) -> bool {
    let mut starts = false;
    for payload in Parser::new(0).parse_all(module) {
        match payload {
            Ok(Payload::ImportSection(imports)) => {
                let offered = |import: wasmparser::Result<wasmparser::Import<'_>>| {
                    import.is_ok_and(|import| import.module == PREVIEW && matches!(import.ty, TypeRef::Func(_)))
                };
                if !imports.into_imports().all(offered) {
                    return false;
                }
            }
            Ok(Payload::ExportSection(exports)) => {
                let begins = |export: wasmparser::Export<'_>| export.name == START && export.kind == ExternalKind::Func;
                starts = exports.into_iter().any(|export| export.is_ok_and(begins));
            }
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMAND: &str = r#"(core module
        (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))) (func (export "_start")))"#;
    const ADAPTER: &str = r#"(core module (import "env" "memory" (memory 0)) (func (export "_start")))"#;
    const LIBRARY: &str = r#"(core module (func (export "run")))"#;

    fn found(modules: &[&str]) -> Option<usize> {
        let bytes = wat::parse_str(format!("(component {})", modules.concat())).unwrap();
        command(&bytes).map(<[u8]>::len)
    }

    #[test]
    fn the_only_command_of_a_component_is_its_program() {
        let alone = wat::parse_str(COMMAND.replace("(core module", "(module")).unwrap().len();
        assert_eq!(found(&[ADAPTER, COMMAND, LIBRARY]), Some(alone));
        assert_eq!(found(&[ADAPTER, LIBRARY]), None);
        assert_eq!(found(&[COMMAND, COMMAND]), None, "whose turn it is cannot be told");
        assert_eq!(command(b"\0asm\x0d\0\x01\0\xff"), None);
        assert_eq!(command(b"no component"), None);
    }
}
