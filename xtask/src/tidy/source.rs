//! Rust source without what is not code: comments, strings and characters are blanked, line by line, so that a banned
//! word in a sentence is no finding. Not a parser: it knows only where such things begin and end. Called by `text`.

/// The source with comments and literals replaced by spaces; lines stay where they are.
pub fn code_of(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_or_comment(bytes, at).unwrap_or(at);
        if end == at {
            code.push(bytes[at]);
            at += 1;
        } else {
            code.extend(bytes[at..end].iter().map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }));
            at = end;
        }
    }
    String::from_utf8_lossy(&code).into_owned()
}

/// The end of the literal or comment that begins here, if one does.
fn literal_or_comment(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    let inside_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    match rest {
        [b'/', b'/', ..] => Some(at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())),
        [b'/', b'*', ..] => Some(at + block_comment(rest)),
        [b'"', ..] => Some(at + quoted(rest)),
        [b'b' | b'c', b'"', ..] if !inside_word => Some(at + 1 + quoted(&rest[1..])),
        [b'r', b'"' | b'#', ..] if !inside_word => raw(&rest[1..]).map(|length| at + 1 + length),
        [b'b' | b'c', b'r', b'"' | b'#', ..] if !inside_word => raw(&rest[2..]).map(|length| at + 2 + length),
        [b'\'', ..] => character(rest).map(|length| at + length),
        _ => None,
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a raw string from its first `#` or quote; `None` for a raw identifier.
fn raw(rest: &[u8]) -> Option<usize> {
    let hashes = rest.iter().take_while(|byte| **byte == b'#').count();
    if rest.get(hashes) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.extend(std::iter::repeat_n(b'#', hashes));
    let body = &rest[hashes + 1..];
    let length = body.windows(close.len()).position(|window| window == close).unwrap_or(body.len());
    Some((hashes + 1 + length + close.len()).min(rest.len()))
}

/// The length of a character literal; `None` for a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    // The longest escape is `'\u{10FFFF}'`.
    const LONGEST: usize = 12;
    let mut at = if rest.get(1) == Some(&b'\\') { 3 } else { 2 };
    if rest.get(1).is_some_and(|byte| byte.is_ascii() && *byte != b'\\') && rest.get(2) != Some(&b'\'') {
        return None;
    }
    while at < rest.len().min(LONGEST) {
        if rest[at] == b'\'' {
            return Some(at + 1);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expected: &str) {
        assert_eq!(code_of(source).split_whitespace().collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn only_code_is_left() {
        check("let a = 1; // todo!()", "let a = 1;");
        check("a /* b /* c */ d */ e", "a e");
        check(r#"f("unsafe \" x", b"dbg!", c"y") + g"#, "f( , , ) + g");
        check(r##"f(r#"a "quoted" b"#, br"c") r#type"##, "f( , ) r#type");
        check(
            r"match c { 'a' | '\'' | '\u{1F600}' | 'é' => x, _ => y::<'static>() }",
            "match c { | | | => x, _ => y::<'static>() }",
        );
        check("fn f<'a>(x: &'a str) -> &'a str { x }", "fn f<'a>(x: &'a str) -> &'a str { x }");
    }

    #[test]
    fn lines_stay_where_they_are() {
        assert_eq!(code_of("a\n\"b\nc\"\nd").lines().count(), 4);
    }
}
