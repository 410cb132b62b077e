//! Input files for the real programs, generated from a fixed seed: an SVG, a DOT graph, JavaScript of two sizes, and
//! English-like text. Called by `corpus`.

use std::fmt::Write;

use super::{Corpus, write_if_new};
use crate::process::Outcome;

/// Bytes of the small JavaScript file (at least).
const SMALL_JS_BYTES: usize = 10_000;
/// Bytes of the large JavaScript file (at least).
const LARGE_JS_BYTES: usize = 2_000_000;
/// Words of the text file.
const TEXT_WORDS: usize = 40_000;

const WORDS: [&str; 32] = [
    "plan", "warm", "core", "cache", "page", "loop", "trip", "count", "state", "tier", "code", "byte", "load", "store",
    "branch", "call", "cost", "energy", "memory", "second", "model", "observe", "learn", "predict", "allocate", "run",
    "measure", "queue", "lease", "ladder", "rung", "profile",
];

/// Writes all of them.
///
/// # Errors
/// A file cannot be written.
pub fn write_all(corpus: &Corpus) -> Outcome {
    let files = [
        ("small.svg", svg()),
        ("small.dot", graph()),
        ("small.js", javascript(SMALL_JS_BYTES)),
        ("large.js", javascript(LARGE_JS_BYTES)),
        ("text.txt", text(TEXT_WORDS)),
    ];
    for (name, content) in files {
        write_if_new(&corpus.input(name), content.as_bytes())?;
    }
    Ok(())
}

/// The minimal standard generator of Park and Miller (1988): small, and the same everywhere.
pub struct Random(pub u64);

impl Random {
    /// The next number, from 0 up to but not including a limit.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0 * 48_271 % 0x7fff_ffff;
        self.0 as usize % limit
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len())]
    }
}

fn svg() -> String {
    let mut random = Random(11);
    let mut out = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"240\" height=\"240\" viewBox=\"0 0 240 240\">\n<defs>\
         <linearGradient id=\"g\"><stop offset=\"0\" stop-color=\"#124\"/><stop offset=\"1\" stop-color=\"#8cf\"/></linearGradient>\
         </defs>\n<rect width=\"240\" height=\"240\" fill=\"url(#g)\"/>\n",
    );
    for _ in 0..24 {
        let (x, y, size) = (random.below(240), random.below(240), 5 + random.below(30));
        let colour = 0x10_0000 + random.below(0xef_ffff);
        let turn = random.below(90);
        let shape = match random.below(3) {
            0 => format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{size}\" fill=\"#{colour:06x}\" opacity=\"0.6\"/>"),
            1 => format!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{size}\" height=\"{size}\" rx=\"3\" fill=\"#{colour:06x}\" \
                 transform=\"rotate({turn} {x} {y})\"/>"
            ),
            _ => format!(
                "<path d=\"M{x} {y} q{size} -{size} {} 0 t{size} {size}\" fill=\"none\" stroke=\"#{colour:06x}\" stroke-width=\"2\"/>",
                size * 2
            ),
        };
        out.push_str(&shape);
        out.push('\n');
    }
    out.push_str("</svg>\n");
    out
}

fn graph() -> String {
    let mut random = Random(23);
    let mut out = String::from("digraph small {\n  rankdir=LR;\n  node [shape=box];\n");
    for node in 1..24 {
        let from = random.below(node);
        let _ = writeln!(
            out,
            "  n{node} [label=\"{} {node}\"];\n  n{from} -> n{node} [label=\"{}\"];",
            random.word(),
            random.word()
        );
        if random.below(3) == 0 {
            let _ = writeln!(out, "  n{node} -> n{} [style=dashed];", random.below(node));
        }
    }
    out.push_str("}\n");
    out
}

fn javascript(bytes: usize) -> String {
    let mut random = Random(37);
    let mut out = String::from("\"use strict\";\n");
    let mut number = 0;
    while out.len() < bytes {
        number += 1;
        out.push_str(&declaration(&mut random, number));
    }
    out.push_str("export { registry };\n");
    out.replacen("\"use strict\";\n", "\"use strict\";\nconst registry = new Map();\n", 1)
}

/// One top-level piece of JavaScript; every kind uses other parts of the grammar.
fn declaration(random: &mut Random, number: usize) -> String {
    let (a, b, c) = (random.word(), random.word(), random.word());
    let (m, n) = (random.below(1000), 1 + random.below(50));
    match random.below(6) {
        0 => format!(
            "/** Adds the {a} of every {b}. */\nfunction {a}{number}(items, {b} = {m}) {{\n    let total = 0;\n    \
             for (const item of items) {{\n        if (item.{c} === undefined || item.{c} > {n}) continue;\n        \
             total += item.{c} * {b};\n    }}\n    return total;\n}}\nregistry.set(\"{a}{number}\", {a}{number});\n\n"
        ),
        1 => format!(
            "class {}{number} {{\n    #{a} = {m};\n    static {b} = new Set([{n}, {m}]);\n    get value() {{\n        \
             return this.#{a} ** 2 % {n};\n    }}\n    async {c}(input) {{\n        const {{ {b}: renamed = {m}, ...rest }} = input ?? {{}};\n        \
             await Promise.resolve(renamed);\n        return {{ ...rest, {a}: this.#{a} }};\n    }}\n}}\nregistry.set({number}, {}{number});\n\n",
            capital(a),
            capital(a)
        ),
        2 => format!(
            "const {a}{number} = (left, right) => left?.{b} ?? right.{c}[{n}] ?? `{a} ${{left}} of ${{right + {m}}}`;\n\
             registry.set(\"{c}{number}\", {a}{number});\n\n"
        ),
        3 => format!(
            "// {a}, then {b}, then {c}.\nswitch (registry.size % {n}) {{\n    case 0:\n        registry.delete(\"{a}\");\n        break;\n    \
             case {m}:\n        registry.set(\"{b}\", [{m}, {n}, {number}].map((x) => x << 2));\n    default:\n        \
             registry.set(\"{c}\", /[{}-z]+\\d{{{n}}}/gi);\n}}\n\n",
            &a[..1]
        ),
        4 => format!(
            "function* {a}{number}(depth) {{\n    label: for (let i = 0; i < {n}; i++) {{\n        try {{\n            \
             if (i === depth) break label;\n            yield {{ index: i, name: \"{b}-\" + i, nested: [[{m}], {{ {c}: !i }}] }};\n        \
             }} catch (error) {{\n            throw new TypeError(`{c} failed: ${{error.message}}`);\n        }} finally {{\n            \
             depth -= 1;\n        }}\n    }}\n}}\nregistry.set(\"{b}{number}\", [...{a}{number}({n})]);\n\n"
        ),
        _ => format!(
            "let {a}{number} = {m};\ndo {{\n    {a}{number} = {a}{number} & 1 ? {a}{number} * 3 + 1 : {a}{number} >>> 1;\n}} while \
             ({a}{number} > 1 && {a}{number} !== {n});\nvar {b}Of{number} = typeof {a}{number} === \"number\" ? void 0 : {{ {c}: {a}{number} }};\n\
             registry.set(\"{a}-{b}-{number}\", {b}Of{number});\n\n"
        ),
    }
}

fn capital(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

fn text(words: usize) -> String {
    let mut random = Random(53);
    let mut out = String::new();
    for index in 0..words {
        // The product of two draws makes small indices common, as in real text.
        let rank = random.below(WORDS.len()) * random.below(WORDS.len()) / WORDS.len();
        out.push_str(WORDS[rank]);
        out.push_str(match index % 12 {
            11 => ".\n",
            5 => ", ",
            _ => " ",
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_the_same_every_time_and_of_their_size() {
        assert_eq!(javascript(SMALL_JS_BYTES), javascript(SMALL_JS_BYTES));
        assert!((SMALL_JS_BYTES..SMALL_JS_BYTES + 1000).contains(&javascript(SMALL_JS_BYTES).len()));
        assert_eq!(text(100).split_whitespace().count(), 100);
        assert!(svg().len() < 10_000 && graph().lines().count() > 24);
    }
}
