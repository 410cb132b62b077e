//! Which language or packaging a program is of: by sections, symbols, and marks in its data.

use memchr::memmem;

use super::image::Image;

/// What PyInstaller puts at the end of a program, before the length of its archive (`PyInstaller/archive/writers.py`).
const PYINSTALLER: &[u8] = b"MEI\x0c\x0b\x0a\x0b\x0e";

/// Bytes at the end of a file, behind all that its headers tell of, in which that is looked for: the cookie has 88, signatures may
/// follow.
const TAIL: usize = 64 << 10;

/// Marks in read-only data. Rust's standard library names its own sources; a Lambda runtime its interface; Node's
/// single executables carry a fuse (`src/node_sea.cc`).
///
/// Each in two parts, so that this list itself is no such mark in programs that contain it.
const MARKS: [(&[u8], &[u8], &str); 3] = [
    (b"/rus", b"tc/", "Rust"),
    (b"AWS_LAMBDA_", b"RUNTIME_API", "Lambda runtime"),
    (b"NODE_SEA_", b"FUSE_fce680ab2cc467b6e072b8b5df1996b2", "Node single executable"),
];

/// The runtimes of an image, in order.
pub(crate) fn find(image: &Image<'_>) -> Vec<String> {
    let mut out = Vec::new();
    let mut add = |found: bool, name: &str| {
        if found && !out.iter().any(|known| known == name) {
            out.push(name.to_owned());
        }
    };
    let section = |names: &[&str]| names.iter().any(|name| image.section(name).is_some());
    add(section(&[".go.buildinfo", ".gopclntab", ".note.go.buildid"]), "Go");
    let comment = image.contents(".comment").unwrap_or_default();
    add(comment.windows(5).any(|window| window == b"rustc") || section(&[".rustc"]), "Rust");
    let imports = |test: &dyn Fn(&str) -> bool| image.imports.iter().any(|name| test(name));
    let own = |test: &dyn Fn(&str) -> bool| image.symbols.iter().any(|symbol| test(symbol.name));
    let cpp = |name: &str| name.starts_with("_ZSt") || name.starts_with("_ZNSt") || name == "__gxx_personality_v0";
    let linked = image.needed.iter().any(|name| name.starts_with("libstdc++") || name.starts_with("libc++."));
    add(linked || imports(&cpp) || (!image.dynamic && own(&cpp)), "C++");
    let java = |name: &str| matches!(name, "JLI_Launch" | "JNI_CreateJavaVM");
    add(imports(&java) || image.needed.iter().any(|name| name.starts_with("libjli.so")), "Java launcher");
    let size = image.bytes.len();
    let tail = &image.bytes[size.saturating_sub(TAIL).max(image.described_bytes()).min(size)..];
    let frozen = memmem::find(tail, PYINSTALLER).is_some();
    add(frozen || section(&["pydata"]), "PyInstaller");
    for name in marks(image) {
        add(true, name);
    }
    out
}

/// Marks found in read-only data, in their order there.
fn marks(image: &Image<'_>) -> Vec<&'static str> {
    let Some(data) = image.contents(".rodata") else { return Vec::new() };
    let place = |mark: &(&[u8], &[u8], &'static str)| Some((memmem::find(data, &[mark.0, mark.1].concat())?, mark.2));
    let mut found: Vec<(usize, &str)> = MARKS.iter().filter_map(place).collect();
    found.sort_unstable();
    found.into_iter().map(|mark| mark.1).collect()
}
