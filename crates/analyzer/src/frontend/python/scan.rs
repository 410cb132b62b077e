//! The imports of a module, found without a syntax tree: one pass over its bytes, some ten times as fast as parsing.
//!
//! What an imported library imports in turn is looked for in hundreds of files, of which nothing else is wanted. Only
//! statements that run when the module is loaded count: not those in functions, under `TYPE_CHECKING`, or for other
//! platforms. A string is skipped, a logical line is judged by its first word.

use rustc_hash::FxHashMap;

use super::imports::PLATFORM;

/// An import statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scanned {
    /// Dots before the name.
    pub level: u32,
    pub module: String,
    /// Names taken from it; empty for a plain `import`.
    pub names: Vec<String>,
    /// Whether it stands in a function.
    pub lazy: bool,
    /// Whether it stands in an `except` branch: an alternative to an import that failed.
    pub alternative: bool,
}

/// A block that is open, by the indentation of its head.
struct Block<'a> {
    indent: usize,
    kind: Kind,
    /// What it goes over, where it is a `for` loop.
    each: Option<Each<'a>>,
}

/// A loop's variable, and what it goes over.
struct Each<'a> {
    variable: &'a [u8],
    over: &'a [u8],
}

/// Bytes of a literal that are looked at for each loop that goes over it: more than any list of requirements has, and so few that the work is
/// in proportion to the text.
const MOST_LITERAL: usize = 4096;

/// Calls that import what their first argument names.
const CALLS: [&[u8]; 2] = [b"__import__(", b"import_module("];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Function,
    /// Does not run.
    Dead,
    Alternative,
}

/// The imports in a text.
pub(super) fn scan(text: &[u8], version: Option<(u32, u32)>) -> Vec<Scanned> {
    let mut scanner = Scanner { text, literals: None, blocks: Vec::new(), found: Vec::new(), version };
    let mut lines = Lines { text, at: 0 };
    while let Some((indent, line)) = lines.next() {
        scanner.line(indent, line);
    }
    scanner.found
}

/// Logical lines: what brackets, strings and backslashes join is one.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    /// The next line with code: its indentation, and its bytes from the first word on.
    fn next(&mut self) -> Option<(usize, &'a [u8])> {
        loop {
            let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
            let blanks = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | 0x0c)).unwrap_or(rest.len());
            let start = self.at + blanks;
            self.end_of_line(start);
            let line = &self.text[start..self.at.min(self.text.len())];
            self.at += 1;
            if !matches!(line.first(), None | Some(b'#' | b'\r')) {
                return Some((blanks, line));
            }
        }
    }

    /// Goes to the line break that ends the logical line.
    fn end_of_line(&mut self, start: usize) {
        let (mut depth, mut at) = (0_u32, start);
        while let Some(&byte) = self.text.get(at) {
            match byte {
                b'\n' if depth == 0 => break,
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                b'#' => {
                    at += self.text[at..].iter().position(|&byte| byte == b'\n').unwrap_or(self.text.len() - at);
                    continue;
                }
                b'\\' => at += 1,
                b'"' | b'\'' => {
                    at = self.end_of_string(at, byte);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        self.at = at;
    }

    fn end_of_string(&self, start: usize, quote: u8) -> usize {
        let triple = self.text[start..].starts_with(&[quote; 3]);
        let mut at = start + if triple { 3 } else { 1 };
        while let Some(&byte) = self.text.get(at) {
            if byte == b'\\' {
                at += 2;
                continue;
            }
            if byte == quote && (!triple || self.text[at..].starts_with(&[quote; 3])) {
                return at + if triple { 3 } else { 1 };
            }
            if byte == b'\n' && !triple {
                return at;
            }
            at += 1;
        }
        at
    }
}

struct Scanner<'a> {
    text: &'a [u8],
    /// What the module binds names to, once that was asked.
    literals: Option<FxHashMap<&'a [u8], &'a [u8]>>,
    blocks: Vec<Block<'a>>,
    found: Vec<Scanned>,
    version: Option<(u32, u32)>,
}

impl<'a> Scanner<'a> {
    fn line(&mut self, indent: usize, line: &'a [u8]) {
        // Only words that begin an import or a block matter.
        if !matches!(line[0], b'i' | b'f' | b'd' | b'c' | b'a' | b'e' | b't' | b'w') && self.blocks.is_empty() {
            return;
        }
        let dedented = self.blocks.iter().rposition(|block| block.indent < indent).map_or(0, |at| at + 1);
        self.blocks.truncate(dedented);
        if self.blocks.iter().any(|block| block.kind == Kind::Dead) {
            return;
        }
        let (word, rest) = line.split_at(name(line).len());
        match word {
            b"import" | b"from" => self.import(line),
            b"def" => self.open(indent, Kind::Function, b""),
            b"async" if rest.trim_ascii_start().starts_with(b"def") => self.open(indent, Kind::Function, b""),
            b"if" | b"elif" => {
                let text = String::from_utf8_lossy(&rest[..rest.len().min(200)]);
                let test = text.split(':').next().unwrap_or_default().trim();
                let dead = self.never(test);
                self.open(indent, if dead { Kind::Dead } else { Kind::Plain }, rest);
            }
            // Either branch of a condition may run; what handles a failed import is for where the import fails.
            b"else" | b"finally" => self.open(indent, Kind::Plain, rest),
            b"except" => self.open(indent, Kind::Alternative, rest),
            b"for" => {
                self.open(indent, Kind::Plain, rest);
                let variable = name(rest.trim_ascii_start());
                let over = rest.trim_ascii_start()[variable.len()..].trim_ascii_start().strip_prefix(b"in");
                if let Some((block, over)) = self.blocks.last_mut().zip(over).filter(|_| !variable.is_empty()) {
                    block.each = Some(Each { variable, over: over.trim_ascii_start() });
                }
            }
            b"class" | b"try" | b"with" | b"while" | b"async" => self.open(indent, Kind::Plain, rest),
            _ => self.import_call(line),
        }
    }

    /// A call that imports the module whose name is a loop's variable, once for each text that the loop goes over. One in a loop tells
    /// all that others there do.
    fn import_call(&mut self, line: &[u8]) {
        if self.blocks.iter().all(|block| block.each.is_none()) {
            return;
        }
        let argument = CALLS.iter().find_map(|call| {
            let behind = line.windows(call.len()).position(|part| part == *call)? + call.len();
            Some(name(line[behind..].trim_ascii_start()))
        });
        let of = |block: &&mut Block<'_>| block.each.as_ref().is_some_and(|each| Some(each.variable) == argument);
        let Some(each) = self.blocks.iter_mut().rev().find(of).and_then(|block| block.each.take()) else { return };
        let texts = match name(each.over) {
            b"" => quoted(each.over),
            bound => self.literals().get(bound).map(|literal| quoted(literal)).unwrap_or_default(),
        };
        let lazy = self.blocks.iter().any(|block| block.kind == Kind::Function);
        for module in texts.into_iter().filter(|text| is_module(text)) {
            self.found.push(Scanned { level: 0, module, names: Vec::new(), lazy, alternative: false });
        }
    }

    /// What the module binds names to, by one pass for all that ask.
    fn literals(&mut self) -> &FxHashMap<&'a [u8], &'a [u8]> {
        let text = self.text;
        self.literals.get_or_insert_with(|| {
            let mut lines = Lines { text, at: 0 };
            let mut literals = FxHashMap::default();
            while let Some((indent, line)) = lines.next() {
                let name = name(line);
                let value = line[name.len()..].trim_ascii_start().strip_prefix(b"=");
                if let Some(value) = value.filter(|_| indent == 0 && !name.is_empty()) {
                    literals.insert(name, value.trim_ascii_start());
                }
            }
            literals
        })
    }

    /// Opens a block; what follows its colon on the same line belongs to it.
    fn open(&mut self, indent: usize, kind: Kind, rest: &[u8]) {
        self.blocks.push(Block { indent, kind, each: None });
        if kind != Kind::Dead
            && let Some(colon) = rest.iter().rposition(|&byte| byte == b':')
        {
            let tail = rest[colon + 1..].trim_ascii();
            if tail.starts_with(b"import ") || tail.starts_with(b"from ") {
                self.import(tail);
            }
        }
    }

    fn never(&self, test: &str) -> bool {
        if test == "TYPE_CHECKING" || test.ends_with(".TYPE_CHECKING") || matches!(test, "0" | "False") {
            return true;
        }
        if test == "__name__ == \"__main__\"" || test == "__name__ == '__main__'" {
            return true;
        }
        let literal = |rest: &str| rest.trim().trim_matches(['"', '\'']).to_owned();
        if let Some((left, right)) = test.split_once("==") {
            match left.trim() {
                "sys.platform" => return literal(right) != PLATFORM,
                "os.name" => return literal(right) != "posix",
                _ => {}
            }
        }
        if let Some(prefix) = test.strip_prefix("sys.platform.startswith(") {
            return !PLATFORM.starts_with(&literal(prefix.trim_end_matches(')')));
        }
        let Some((have, rest)) = self.version.zip(test.strip_prefix("sys.version_info")) else { return false };
        let rest = rest.trim();
        let operator = rest.find('(').map_or("", |at| rest[..at].trim());
        let numbers: Vec<u32> =
            rest[operator.len()..].split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
        let wanted = (numbers.first().copied().unwrap_or(0), numbers.get(1).copied().unwrap_or(0));
        match operator {
            ">=" | ">" => have < wanted,
            "<" => have >= wanted,
            "<=" => have > wanted,
            _ => false,
        }
    }

    fn import(&mut self, statement: &[u8]) {
        let lazy = self.blocks.iter().any(|block| block.kind == Kind::Function);
        let alternative = self.blocks.iter().any(|block| block.kind == Kind::Alternative);
        let text: String = clean(statement);
        for statement in text.split(';') {
            let statement = statement.trim();
            if let Some(rest) = statement.strip_prefix("import ") {
                for part in rest.split(',') {
                    let module = first_word(part);
                    if is_module(&module) {
                        self.found.push(Scanned { level: 0, module, names: Vec::new(), lazy, alternative });
                    }
                }
            } else if let Some((module, names)) =
                statement.strip_prefix("from").and_then(|rest| rest.split_once(" import"))
            {
                let module = module.trim();
                let name = module.trim_start_matches('.').trim();
                let level = (module.len() - module.trim_start_matches('.').len()) as u32;
                let names = names.replace(['(', ')'], " ");
                let names: Vec<String> = names.split(',').map(first_word).filter(|name| !name.is_empty()).collect();
                if (is_module(name) || (name.is_empty() && level > 0)) && !names.is_empty() {
                    self.found.push(Scanned { level, module: name.to_owned(), names, lazy, alternative });
                }
            }
        }
    }
}

/// The name that begins some bytes.
fn name(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|&byte| !(byte.is_ascii_alphanumeric() || byte == b'_')).unwrap_or(bytes.len());
    &bytes[..end]
}

/// The texts in quotes of a tuple, list or set that begins some bytes.
fn quoted(literal: &[u8]) -> Vec<String> {
    let close = match literal.first() {
        Some(b'(') => b')',
        Some(b'[') => b']',
        Some(b'{') => b'}',
        _ => return Vec::new(),
    };
    let literal = &literal[..literal.len().min(MOST_LITERAL)];
    let end = literal.iter().position(|&byte| byte == close).unwrap_or(literal.len());
    clean(&literal[..end]).split(['"', '\'']).skip(1).step_by(2).map(str::to_owned).collect()
}

/// A statement without comments and line breaks.
fn clean(statement: &[u8]) -> String {
    let text = String::from_utf8_lossy(statement);
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim_end_matches('\\'));
    lines.collect::<Vec<_>>().join(" ").replace('\t', " ")
}

fn first_word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().to_owned()
}

fn is_module(name: &str) -> bool {
    !name.is_empty()
        && name.split('.').all(|part| !part.is_empty() && !part.starts_with(|c: char| c.is_ascii_digit()))
        && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let shown = |found: &Scanned| {
            let dots = ".".repeat(found.level as usize);
            let names = if found.names.is_empty() { String::new() } else { format!(":{}", found.names.join("+")) };
            let lazy = if found.lazy { " lazy" } else { "" };
            let other = if found.alternative { " alternative" } else { "" };
            format!("{dots}{}{names}{lazy}{other}", found.module)
        };
        let found: Vec<String> = scan(text.as_bytes(), Some((3, 11))).iter().map(shown).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn imports_are_found_where_they_run() {
        check("import a, b.c as d\nfrom e import (f,\n  g as h, # why\n)\n", &["a", "b.c", "e:f+g"]);
        check("from . import x\nfrom ..y import *\nimport z; import w\n", &[".:x", "..y:*", "z", "w"]);
        check(
            "def f():\n    import a\nclass C:\n    import b\n    def g(self):\n        import c\n",
            &["a lazy", "b", "c lazy"],
        );
        check(
            "try:\n    import a\nexcept ImportError:\n    import b\nelse:\n    import c\n",
            &["a", "b alternative", "c"],
        );
        check("'''\nimport no\n'''\nx = \"\"\"\nimport no\n\"\"\"\nimport yes\n", &["yes"]);
        check("x = [\nimport_, 'it'\n]\nfrom a \\\n    import b\n", &["a:b"]);
    }

    #[test]
    fn what_a_loop_imports_is_found() {
        check(
            "for lib in ('a', \"b.c\"):\n    try:\n        x = importlib.import_module(lib)\n    except E:\n        pass\n",
            &["a", "b.c"],
        );
        check("needs = [\n  'a',\n  'b',\n]\nfor one in needs:\n    __import__(one)\n", &["a", "b"]);
        check(
            "needs = (  # what\n  'a',  # isn't b\n)\nfor one in needs:  # all\n    __import__(one)\n    __import__(one)\n",
            &["a"],
        );
        check("for one in ('a', 'b'):\n    for other in x:\n        import_module(one, 'p')\n", &["a", "b"]);
        check("for one in ('a', 'b'):\n    locals()[one] = __import__(one)\n    print(one)\n", &["a", "b"]);
        check("for one in ('a', 'b'):\n    __import__(other)\nfor one in what():\n    __import__(one)\n", &[]);
    }

    #[test]
    fn conditions_are_settled_where_they_can_be() {
        check("if TYPE_CHECKING:\n    import a\nelse:\n    import b\n", &["b"]);
        check("if sys.platform == 'win32':\n    import a\nimport b\n", &["b"]);
        check("if sys.version_info >= (3, 12):\n    import a\nif sys.version_info < (3, 12): import b\n", &["b"]);
        check("if __name__ == '__main__':\n    import a\n", &[]);
        check("if os.environ.get('X'):\n    import a\n", &["a"]);
    }
}
