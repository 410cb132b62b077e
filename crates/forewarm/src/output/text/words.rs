//! Words for what the analyzer names by itself: functions, classes of operators, hardware. Used by the page of
//! `forewarm analyze`.

use forewarm_types::OpClass;

/// Longest function name shown, in characters.
const NAME: usize = 56;

/// A name as its author wrote it, where Rust's older mangling tells (`_ZN4core3fmt5write17h0123456789abcdefE`), cut where
/// it is long.
pub(super) fn plain(name: &str) -> String {
    let mut text = demangled(name).unwrap_or_else(|| name.to_owned());
    if text.chars().count() > NAME {
        text = text.chars().take(NAME - 1).chain(['…']).collect();
    }
    text
}

/// The path of a name in Rust's older mangling, its hash left out: lengths and parts between `_ZN` and `E`.
fn demangled(name: &str) -> Option<String> {
    let mut rest = name.strip_prefix("_ZN")?;
    let mut parts: Vec<&str> = Vec::new();
    while !rest.starts_with('E') {
        let digits = rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let length: usize = rest.get(..digits)?.parse().ok()?;
        parts.push(rest.get(digits..digits.checked_add(length)?)?);
        rest = rest.get(digits + length..)?;
    }
    let hash = |part: &&str| part.len() == 17 && part.starts_with('h');
    if parts.last().is_some_and(hash) {
        parts.pop();
    }
    let mut text = parts.join("::").replace("..", "::");
    for (code, letter) in [
        ("$LT$", "<"),
        ("$GT$", ">"),
        ("$RF$", "&"),
        ("$BP$", "*"),
        ("$C$", ","),
        ("$u20$", " "),
        ("$u7b$", "{"),
        ("$u7d$", "}"),
    ] {
        text = text.replace(code, letter);
    }
    Some(text.replace("_<", "<"))
}

/// What a flag's word means, to begin its line.
pub(super) fn gain(benefits_from: &str) -> String {
    let name = match benefits_from {
        "simd" => "vectors",
        "threads" => "threads",
        "gpu" => "a GPU",
        "fpga" => "an FPGA",
        "tensor" => "a tensor unit",
        "crypto" => "cryptographic instructions",
        "large-pages" => "large pages",
        "fast-memory" => "faster memory",
        "branchy" => return "branchy".to_owned(),
        other => other,
    };
    format!("gains from {name}")
}

/// A class of operators, as people call it.
pub(super) fn class(class: OpClass) -> &'static str {
    match class {
        OpClass::Const => "constants",
        OpClass::Local => "moves",
        OpClass::Global => "globals",
        OpClass::IntAlu => "integer arithmetic",
        OpClass::IntMul => "integer multiplication",
        OpClass::IntDiv => "integer division",
        OpClass::FloatAdd => "float addition",
        OpClass::FloatMul => "float multiplication",
        OpClass::FloatDiv => "float division",
        OpClass::FloatSqrt => "square roots",
        OpClass::Convert => "conversions",
        OpClass::Vector => "vectors",
        OpClass::Load => "loads",
        OpClass::Store => "stores",
        OpClass::Branch => "branches",
        OpClass::Call => "calls",
        OpClass::CallIndirect => "indirect calls",
        OpClass::Atomic => "atomics",
        OpClass::Bulk => "bulk moves",
        OpClass::HostCall => "host calls",
        OpClass::Other => "others",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_as_written() {
        assert_eq!(plain("_ZN4core3fmt5write17h0123456789abcdefE"), "core::fmt::write");
        assert_eq!(
            plain("_ZN38_$LT$$RF$T$u20$as$u20$core..fmt..Debug$GT$3fmtE"),
            "_ZN38_$LT$$RF$T$u20$as$u20$core..fmt..Debug$GT$3fmtE"
        );
        assert_eq!(plain("_ZN"), "_ZN");
        assert_eq!(plain("_ZN99aE"), "_ZN99aE");
        assert_eq!(plain(&"x".repeat(100)).chars().count(), NAME);
    }
}
