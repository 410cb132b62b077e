//! How deeply a source text nests, told by one pass over its bytes before it is parsed.
//!
//! The parser, whatever walks its tree and what frees the tree recurse as deeply as the text nests, so that the text
//! must be judged first. Nesting comes of brackets, replacement fields, indentation, and chains of operators without
//! any bracket (`1+1+1…`, `not not not…`, `a.b.c…`). What is counted bounds the tree's depth from above: a link is one
//! operator character, one opening bracket or one word that follows another.

use memchr::{memchr, memchr2, memchr3};

use crate::error::AnalyzeError;

/// Open brackets at once: `MAXLEVEL` in CPython's `Parser/tokenizer.h`, which rejects more as well.
const MAX_BRACKETS: usize = 200;

/// Levels of indentation: `MAXINDENT` in the same file.
const MAX_INDENTATION: usize = 100;

/// Links on the way from a statement to its innermost expression. CPython 3.11 compiles expressions nested up to three
/// times its recursion limit of 1,000 (`COMPILER_STACK_FRAME_SCALE` in `Python/symtable.c`); a level takes two links
/// at most where it is not an odd chain of signs.
const MAX_LINKS: u32 = 6000;

/// Something that is open; brackets and fields remember the links of the level around them.
enum Open {
    Bracket {
        links: u32,
    },
    /// The text of an f-string.
    Text {
        quote: u8,
        triple: bool,
    },
    /// A replacement field; `format` after its colon.
    Field {
        links: u32,
        format: bool,
    },
}

/// Refuses a text that nests too deeply to be parsed; returns a bound on the depth of its tree.
///
/// # Errors
/// [`AnalyzeError::Limit`].
pub(super) fn check(text: &[u8]) -> Result<usize, AnalyzeError> {
    let mut scan = Scan {
        text,
        at: 0,
        open: Vec::new(),
        brackets: 0,
        links: 0,
        current: 0,
        columns: vec![0],
        word: None,
        deepest_links: 0,
        deepest_brackets: 0,
        deepest_column: 0,
    };
    scan.indentation()?;
    while scan.at < text.len() {
        match scan.open.last() {
            Some(&Open::Text { quote, triple }) => scan.string_text(quote, triple)?,
            Some(Open::Field { format: true, .. }) => scan.format_text()?,
            // Most tokens neither open nor close anything.
            _ => while scan.at < text.len() && !scan.code()? {},
        }
    }
    Ok(scan.deepest_links as usize + scan.deepest_brackets + scan.deepest_column)
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    open: Vec<Open>,
    /// Brackets and fields among what is open.
    brackets: usize,
    /// Links at the level at hand, since what stands beside it began.
    current: u32,
    /// All links on the way down to here.
    links: u32,
    columns: Vec<u32>,
    /// Where the word that was just read begins, while nothing but blanks followed it.
    word: Option<usize>,
    deepest_links: u32,
    deepest_brackets: usize,
    deepest_column: usize,
}

impl Scan<'_> {
    fn too_deep(&self, what: &'static str, limit: u64) -> AnalyzeError {
        AnalyzeError::Limit { what, limit, offset: self.at as u64 }
    }

    /// One token of code; whether something was opened or closed, so that what follows may be no code.
    #[inline]
    fn code(&mut self) -> Result<bool, AnalyzeError> {
        let byte = self.text[self.at];
        let mut turns = false;
        match CLASS[usize::from(byte)] {
            Class::Word => {
                if self.word.is_some() {
                    self.link()?;
                }
                let start = self.at;
                let mut at = start + 1;
                while self.text.get(at).is_some_and(|&byte| matches!(CLASS[usize::from(byte)], Class::Word)) {
                    at += 1;
                }
                // Most words are followed by a blank, which changes nothing.
                self.at = at + usize::from(self.text.get(at) == Some(&b' '));
                self.word = Some(start);
                return Ok(false);
            }
            Class::Blank => {
                self.at += 1;
                return Ok(false);
            }
            Class::Break => {
                self.at += 1;
                if self.open.is_empty() {
                    self.word = None;
                    self.separate();
                    self.indentation()?;
                }
                return Ok(false);
            }
            Class::Comment => self.skip_line(),
            Class::Quote => turns = self.string(byte)?,
            Class::Open => {
                self.at += 1;
                self.link()?;
                self.push(Open::Bracket { links: self.current })?;
            }
            Class::Close => {
                self.at += 1;
                self.close(byte);
                turns = true;
            }
            Class::Separator => {
                self.at += 1;
                self.separate();
                self.at += usize::from(self.text.get(self.at) == Some(&b' '));
            }
            Class::Backslash => self.at += 2,
            Class::Colon => {
                self.at += 1;
                match self.open.last_mut() {
                    Some(Open::Field { format, .. }) => {
                        *format = true;
                        turns = true;
                    }
                    _ => self.link()?,
                }
            }
            Class::Operator => {
                self.at += 1;
                self.link()?;
                self.at += usize::from(self.text.get(self.at) == Some(&b' '));
            }
        }
        self.word = None;
        Ok(turns)
    }

    #[inline]
    fn link(&mut self) -> Result<(), AnalyzeError> {
        self.current += 1;
        self.links += 1;
        self.deepest_links = self.deepest_links.max(self.links);
        if self.links > MAX_LINKS {
            return Err(self.too_deep("a chain of Python operators", u64::from(MAX_LINKS)));
        }
        Ok(())
    }

    /// What follows stands beside what came before, not inside it.
    fn separate(&mut self) {
        self.links -= std::mem::take(&mut self.current);
    }

    fn push(&mut self, open: Open) -> Result<(), AnalyzeError> {
        self.open.push(open);
        self.current = 0;
        self.brackets += 1;
        self.deepest_brackets = self.deepest_brackets.max(self.brackets);
        if self.brackets > MAX_BRACKETS {
            return Err(self.too_deep("the depth of Python brackets", MAX_BRACKETS as u64));
        }
        Ok(())
    }

    fn close(&mut self, byte: u8) {
        let fits = match self.open.last() {
            Some(Open::Bracket { .. }) => true,
            Some(Open::Field { .. }) => byte == b'}',
            _ => false,
        };
        if fits && let Some(Open::Bracket { links } | Open::Field { links, .. }) = self.open.pop() {
            self.links -= std::mem::replace(&mut self.current, links);
            self.brackets -= 1;
        }
    }

    /// A string at its opening quote: skipped, or opened where it has replacement fields; whether it was opened.
    fn string(&mut self, quote: u8) -> Result<bool, AnalyzeError> {
        let prefix =
            self.word.filter(|&start| self.at - start <= 2).map_or(&[][..], |start| &self.text[start..self.at]);
        let formatted = prefix.iter().any(|byte| matches!(byte, b'f' | b'F' | b't' | b'T'));
        let triple = self.text[self.at..].starts_with(&[quote; 3]);
        self.at += if triple { 3 } else { 1 };
        if formatted {
            self.open.push(Open::Text { quote, triple });
            if self.open.len() > 2 * MAX_BRACKETS {
                return Err(self.too_deep("the depth of Python brackets", MAX_BRACKETS as u64));
            }
            return Ok(true);
        }
        // What the text of a string says does not matter: only what may end it.
        while let Some(rest) = self.text.get(self.at..) {
            let next = if triple { memchr2(quote, b'\\', rest) } else { memchr3(quote, b'\\', b'\n', rest) };
            let Some(next) = next else {
                self.at = self.text.len();
                break;
            };
            self.at += next;
            if self.ends(self.text[self.at], quote, triple) {
                break;
            }
        }
        Ok(false)
    }

    /// Goes past one byte of a string; whether the string ends with it. An unclosed one ends with its line.
    fn ends(&mut self, byte: u8, quote: u8, triple: bool) -> bool {
        if byte == b'\\' {
            // A line may end in `\r\n`; taking one byte too few only ends the string early.
            self.at += 2;
            return false;
        }
        if byte == quote && (!triple || self.text[self.at..].starts_with(&[quote; 3])) {
            self.at += if triple { 3 } else { 1 };
            return true;
        }
        // The line's end is left for the code to see.
        if byte == b'\n' && !triple {
            return true;
        }
        self.at += 1;
        false
    }

    fn string_text(&mut self, quote: u8, triple: bool) -> Result<(), AnalyzeError> {
        while let Some(&byte) = self.text.get(self.at) {
            if byte == b'{' {
                if self.text.get(self.at + 1) == Some(&b'{') {
                    self.at += 2;
                    continue;
                }
                self.at += 1;
                self.word = None;
                return self.push(Open::Field { links: self.current, format: false });
            }
            if self.ends(byte, quote, triple) {
                self.open.pop();
                return Ok(());
            }
        }
        Ok(())
    }

    fn format_text(&mut self) -> Result<(), AnalyzeError> {
        let (quote, triple) = self
            .open
            .iter()
            .rev()
            .find_map(|open| match open {
                Open::Text { quote, triple } => Some((*quote, *triple)),
                _ => None,
            })
            .unwrap_or((0, false));
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'{' => {
                    self.at += 1;
                    self.word = None;
                    return self.push(Open::Field { links: self.current, format: false });
                }
                b'}' => {
                    self.at += 1;
                    self.close(byte);
                    return Ok(());
                }
                _ if byte == quote || (byte == b'\n' && !triple) => {
                    // Not closed: the string ends here, whatever the field wanted.
                    self.close(b'}');
                    return Ok(());
                }
                _ => self.at += 1,
            }
        }
        Ok(())
    }

    fn skip_line(&mut self) {
        let rest = &self.text[self.at..];
        self.at += memchr(b'\n', rest).unwrap_or(rest.len());
    }

    /// The indentation of a line, at its beginning; lines without code have none.
    fn indentation(&mut self) -> Result<(), AnalyzeError> {
        let rest = &self.text[self.at..];
        let spaces = rest.iter().position(|&byte| byte != b' ').unwrap_or(rest.len());
        let others = rest[spaces..].iter().position(|byte| !matches!(byte, b' ' | b'\t' | 0x0c));
        let blanks = others.map_or(rest.len(), |others| spaces + others);
        if matches!(rest.get(blanks), None | Some(b'\n' | b'\r' | b'#')) {
            self.at += blanks;
            return Ok(());
        }
        // Tabs go to the next multiple of eight; consistent ones may mean any width, which changes no order.
        let column = rest[spaces..blanks].iter().fold(spaces as u32, |column, byte| match byte {
            b'\t' => (column / 8 + 1) * 8,
            0x0c => 0,
            _ => column + 1,
        });
        self.at += blanks;
        while self.columns.last().is_some_and(|&last| last > column) {
            self.columns.pop();
        }
        if self.columns.last().is_none_or(|&last| last < column) {
            self.columns.push(column);
            self.deepest_column = self.deepest_column.max(self.columns.len());
        }
        if self.columns.len() > MAX_INDENTATION {
            return Err(self.too_deep("the depth of Python indentation", MAX_INDENTATION as u64));
        }
        Ok(())
    }
}

/// What a byte of code begins.
#[derive(Clone, Copy)]
enum Class {
    Word,
    Blank,
    Break,
    Comment,
    Quote,
    Open,
    Close,
    Separator,
    Backslash,
    Colon,
    Operator,
}

/// The class of each byte.
const CLASS: [Class; 256] = {
    let mut table = [Class::Operator; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | 0x80.. => Class::Word,
            b' ' | b'\t' | 0x0c => Class::Blank,
            b'\n' | b'\r' => Class::Break,
            b'#' => Class::Comment,
            b'"' | b'\'' => Class::Quote,
            b'(' | b'[' | b'{' => Class::Open,
            b')' | b']' | b'}' => Class::Close,
            b',' | b';' => Class::Separator,
            b'\\' => Class::Backslash,
            b':' => Class::Colon,
            _ => Class::Operator,
        };
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {

    fn check(text: &str, deep: bool) {
        assert_eq!(super::check(text.as_bytes()).is_err(), deep, "{:?}", text.chars().take(60).collect::<String>());
    }

    #[test]
    fn what_nests_too_deeply_is_refused() {
        for unit in
            ["(", "[", "{1:", "f(", "-", "not ", "lambda:", "await ", "x.", "1+", "a**", "x if y else ", "f'{", "f\"{"]
        {
            check(&format!("x = {}", unit.repeat(100_000)), true);
        }
        check(&format!("x = a{}", "()".repeat(10_000)), true);
        check(&format!("x = a{}", "[0]".repeat(10_000)), true);
        let indented: String = (0..150).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
        check(&indented, true);
        let mixed: String = (0..250).map(|depth| if depth % 2 == 0 { "f'{" } else { "f\"{(" }).collect();
        check(&mixed, true);
    }

    #[test]
    fn what_people_write_is_taken() {
        check(&format!("x = [{}]", "(1, 2), ".repeat(100_000)), false);
        check(&format!("x = ({})", "'a' \"b\"\n".repeat(100_000)), false);
        check(&"x = 1 + 2\n".repeat(100_000), false);
        check(&"def f():\n  if x:\n    return f'{a:{b}} {{ {c!r:>{w}}'\n".repeat(20_000), false);
        check(&"'''((((''' ; \"((((\" # ((((\n".repeat(10_000), false);
        check(&"x = 'it\\'s (' \\\n  + r'\\('\n".repeat(10_000), false);
        check(&"f(a)(b).c[d]; ".repeat(10_000), false);
    }
}
