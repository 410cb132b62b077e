//! The part of an analysis page that only native programs have: machine, linkage, languages, libraries.

use forewarm_types::NativeDemand;
use forewarm_types::native::{Linkage, NativeKind};

use super::line;

/// Shared libraries named.
const LIBRARIES: usize = 12;

/// The lines of the page.
pub(super) fn needs(native: &NativeDemand) -> String {
    let mut text = line("program", &summary(native));
    if !native.runtimes.is_empty() {
        text += &line("runtime", &native.runtimes.join(", "));
    }
    for kit in &native.kits {
        text += &line("calls", &format!("{}: {}", kit.name, kit.via.join(", ")));
    }
    if !native.libraries.is_empty() {
        let named: Vec<&str> = native.libraries.iter().take(LIBRARIES).map(|library| library.path.as_str()).collect();
        let more = native.libraries.len() - named.len();
        let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
        text += &line("loads", &format!("{}{rest}", named.join(", ")));
    }
    if !native.missing.is_empty() {
        text += &line("missing", &native.missing.join(", "));
    }
    text
}

fn summary(native: &NativeDemand) -> String {
    let kind = match native.kind {
        NativeKind::Program => "program",
        NativeKind::Library => "shared library",
        NativeKind::Object => "object file",
        NativeKind::Other => "file",
    };
    let linkage = match native.linkage {
        Linkage::Static => "static",
        Linkage::Dynamic => "dynamic",
    };
    let mut words = vec![format!("{} {kind}, {linkage}", native.machine)];
    words.extend(native.position_independent.then(|| "position-independent".to_owned()));
    words.extend(native.stripped.then(|| "stripped".to_owned()));
    words.push(if native.decoded { format!("counted in {}s", native.unit) } else { "code not decoded".to_owned() });
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarm_types::Bytes;
    use forewarm_types::native::{Kit, NativeLibrary};

    #[test]
    fn a_program_in_a_few_lines() {
        let native = NativeDemand {
            kind: NativeKind::Program,
            machine: "x86-64".into(),
            address_bits: 64,
            decoded: true,
            unit: "machine instruction".into(),
            linkage: Linkage::Dynamic,
            position_independent: true,
            interpreter: Some("/lib64/ld-linux-x86-64.so.2".into()),
            stripped: false,
            runtimes: vec!["C++".into()],
            kits: vec![Kit { name: "BLAS".into(), via: vec!["cblas_dgemm".into()] }],
            needed: vec!["libblas.so.3".into(), "libz.so.1".into()],
            libraries: vec![NativeLibrary {
                name: "libz.so.1".into(),
                path: "/lib/libz.so.1".into(),
                needed_by: "the program".into(),
                size_bytes: Bytes(1),
            }],
            missing: vec!["libblas.so.3".into()],
        };
        insta::assert_snapshot!(needs(&native), @r"
        program     x86-64 program, dynamic, position-independent, counted in machine instructions
        runtime     C++
        calls       BLAS: cblas_dgemm
        loads       /lib/libz.so.1
        missing     libblas.so.3
        ");
    }
}
