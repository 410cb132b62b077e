//! As much of HTTP/1.1 (RFC 9112) as the interface needs, with bounds: requests read, replies written.
//!
//! `httparse` reads heads and the sizes of chunks; what is here joins it with a stream and decides what is too much.

use std::io::{self, Read, Write};

/// Most bytes of a request's line and headers together: twice the 8 KiB that most servers take (nginx, Apache).
const MOST_HEAD: usize = 16 << 10;

/// Most headers.
const MOST_HEADERS: usize = 64;

/// Bytes read at once.
const BLOCK: usize = 16 << 10;

/// So many times the limit of a body that is too large is read and thrown away, so that the sender hears why; beyond that
/// the line is cut.
const PATIENCE: usize = 8;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method, as sent.
    pub method: String,
    /// The path, as sent.
    pub path: String,
    /// Whether the sender wants to go on with this connection.
    pub keep_alive: bool,
    /// The kind of error that a function's error comes with.
    pub error_type: Option<String>,
    /// The body; `None` where it was larger than allowed.
    pub body: Option<Vec<u8>>,
}

/// Why no request came.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The line broke.
    #[error(transparent)]
    Line(#[from] io::Error),
    /// It is no HTTP/1.1.
    #[error("no HTTP/1.1 request: {0}")]
    Malformed(&'static str),
}

/// A connection with what was read ahead of it.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    ahead: Vec<u8>,
}

/// What a head says.
struct Head {
    request: Request,
    length: usize,
    body: Length,
    expects: bool,
}

#[derive(Clone, Copy)]
enum Length {
    Known(u64),
    Chunked,
}

impl<S: Read + Write> Connection<S> {
    /// Over a stream.
    pub fn new(stream: S) -> Self {
        Self { stream, ahead: Vec::new() }
    }

    /// The next request with a body of at most so many bytes; `None` where the sender is done.
    ///
    /// # Errors
    /// Where the line breaks, or what comes is no request.
    pub fn read(&mut self, most: usize) -> Result<Option<Request>, ReadError> {
        let head = loop {
            if let Some(head) = head(&self.ahead)? {
                break head;
            }
            if self.ahead.len() >= MOST_HEAD {
                return Err(ReadError::Malformed("the headers are too long"));
            }
            if !self.more()? {
                return if self.ahead.is_empty() { Ok(None) } else { Err(ReadError::Malformed("it breaks off")) };
            }
        };
        self.ahead.drain(..head.length);
        if head.expects && self.ahead.is_empty() {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let body = match head.body {
            Length::Known(length) => self.known(length, most)?,
            Length::Chunked => self.chunked(most)?,
        };
        Ok(Some(Request { body, ..head.request }))
    }

    /// Writes a reply.
    ///
    /// # Errors
    /// Where the line breaks.
    pub fn write(&mut self, status: Status, headers: &[(&str, &str)], body: &[u8]) -> io::Result<()> {
        let mut reply = format!("HTTP/1.1 {} {}\r\nContent-Length: {}\r\n", status.0, status.1, body.len());
        for (name, value) in headers {
            // What would begin another header is left out.
            let value: String = value.chars().filter(|c| !c.is_control()).collect();
            reply.push_str(&format!("{name}: {value}\r\n"));
        }
        reply.push_str("\r\n");
        let mut reply = reply.into_bytes();
        reply.extend(body);
        self.stream.write_all(&reply)
    }

    fn more(&mut self) -> io::Result<bool> {
        let before = self.ahead.len();
        self.ahead.resize(before + BLOCK, 0);
        let read = loop {
            match self.stream.read(&mut self.ahead[before..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.ahead.truncate(before + read.as_ref().map_or(0, |count| *count));
        read.map(|count| count > 0)
    }

    fn known(&mut self, length: u64, most: usize) -> Result<Option<Vec<u8>>, ReadError> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let mut kept = Body::new(most);
        self.take(length, &mut kept)?;
        Ok(kept.whole())
    }

    /// Moves so many bytes to a body.
    fn take(&mut self, mut length: usize, body: &mut Body) -> Result<(), ReadError> {
        while length > 0 {
            if self.ahead.is_empty() && !self.more()? {
                return Err(ReadError::Malformed("its body breaks off"));
            }
            let count = length.min(self.ahead.len());
            body.add(&self.ahead[..count])?;
            self.ahead.drain(..count);
            length -= count;
        }
        Ok(())
    }

    fn chunked(&mut self, most: usize) -> Result<Option<Vec<u8>>, ReadError> {
        let mut kept = Body::new(most);
        loop {
            let (start, size) = loop {
                match httparse::parse_chunk_size(&self.ahead) {
                    Ok(httparse::Status::Complete(found)) => break found,
                    Ok(httparse::Status::Partial) if self.ahead.len() < MOST_HEAD => {}
                    _ => return Err(ReadError::Malformed("a chunk has no size")),
                }
                if !self.more()? {
                    return Err(ReadError::Malformed("its body breaks off"));
                }
            };
            self.ahead.drain(..start);
            if size == 0 {
                break;
            }
            self.take(usize::try_from(size).unwrap_or(usize::MAX), &mut kept)?;
            if self.line()? != 0 {
                return Err(ReadError::Malformed("a chunk is longer than it says"));
            }
        }
        // Trailers up to the empty line; what they say of a stream's end is not used.
        let mut trailers = 0;
        loop {
            match self.line()? {
                0 => return Ok(kept.whole()),
                length => trailers += length,
            }
            if trailers > MOST_HEAD {
                return Err(ReadError::Malformed("the trailers are too long"));
            }
        }
    }

    /// Reads past the end of a line; its length.
    fn line(&mut self) -> Result<usize, ReadError> {
        loop {
            if let Some(end) = self.ahead.windows(2).position(|pair| pair == b"\r\n") {
                self.ahead.drain(..end + 2);
                return Ok(end);
            }
            if self.ahead.len() > MOST_HEAD || !self.more()? {
                return Err(ReadError::Malformed("a line does not end"));
            }
        }
    }
}

/// A body as it comes in, kept as long as it is no larger than allowed.
struct Body {
    bytes: Vec<u8>,
    most: usize,
    seen: usize,
}

impl Body {
    fn new(most: usize) -> Self {
        Self { bytes: Vec::new(), most, seen: 0 }
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        self.seen = self.seen.saturating_add(bytes.len());
        if self.seen <= self.most {
            self.bytes.extend(bytes);
        } else {
            self.bytes = Vec::new();
        }
        if self.seen > self.most.saturating_mul(PATIENCE) {
            return Err(ReadError::Malformed("the body is far too large"));
        }
        Ok(())
    }

    fn whole(self) -> Option<Vec<u8>> {
        (self.seen <= self.most).then_some(self.bytes)
    }
}

/// The length of a body, by the header that says it.
fn length_of(name: &str, value: &str) -> Result<Length, ReadError> {
    match (name, value) {
        ("content-length", number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            number.parse().map(Length::Known).map_err(|_| ReadError::Malformed("its length is no number"))
        }
        ("content-length", _) => Err(ReadError::Malformed("its length is no number")),
        (_, coding) if coding.eq_ignore_ascii_case("chunked") => Ok(Length::Chunked),
        _ => Err(ReadError::Malformed("its encoding is not known")),
    }
}

/// The head at the beginning of what was read; `None` where more must come.
fn head(bytes: &[u8]) -> Result<Option<Head>, ReadError> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(ReadError::Malformed("its head cannot be read")),
    };
    let mut request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: parsed.path.unwrap_or_default().to_owned(),
        keep_alive: parsed.version == Some(1),
        error_type: None,
        body: None,
    };
    let (mut body, mut twice, mut expects) = (None, false, false);
    for header in parsed.headers.iter() {
        let value = std::str::from_utf8(header.value).unwrap_or_default().trim();
        match header.name.to_ascii_lowercase().as_str() {
            name @ ("content-length" | "transfer-encoding") => twice |= body.replace(length_of(name, value)?).is_some(),
            "connection" => request.keep_alive &= !value.eq_ignore_ascii_case("close"),
            "expect" => expects = value.eq_ignore_ascii_case("100-continue"),
            "lambda-runtime-function-error-type" => request.error_type = Some(value.to_owned()),
            _ => {}
        }
    }
    // Two lengths that differ, or one beside chunks, are how requests are smuggled: RFC 9112, 6.3.
    if twice {
        return Err(ReadError::Malformed("its length is said twice"));
    }
    Ok(Some(Head { request, length, body: body.unwrap_or(Length::Known(0)), expects }))
}

/// A status with its reason: RFC 9110, 15.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status(pub u16, pub &'static str);

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream that gives what it was given, a few bytes at a time, and keeps what is written.
    struct Pieces {
        given: Vec<u8>,
        size: usize,
        written: Vec<u8>,
    }

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.size.min(self.given.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.given[..count]);
            self.given.drain(..count);
            Ok(count)
        }
    }

    impl Write for Pieces {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            self.written.extend(buffer);
            Ok(buffer.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn connection(text: &str, size: usize) -> Connection<Pieces> {
        Connection::new(Pieces { given: text.as_bytes().to_vec(), size, written: Vec::new() })
    }

    #[test]
    fn requests_come_whole_however_they_are_cut() {
        let text = "POST /a HTTP/1.1\r\nContent-Length: 5\r\nLambda-Runtime-Function-Error-Type: X\r\n\r\nhello\
                    POST /b HTTP/1.1\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n\
                    GET /c HTTP/1.0\r\n\r\n";
        for size in [1, 2, 7, 4096] {
            let mut connection = connection(text, size);
            let mut next = || connection.read(100).unwrap();
            let first = next().unwrap();
            assert_eq!((first.path.as_str(), first.keep_alive, first.error_type.as_deref()), ("/a", true, Some("X")));
            assert_eq!(first.body.as_deref(), Some(b"hello".as_slice()));
            let second = next().unwrap();
            assert_eq!((second.body.as_deref(), second.keep_alive), (Some(b"abcde".as_slice()), false));
            let third = next().unwrap();
            assert_eq!(
                (third.method.as_str(), third.body.as_deref(), third.keep_alive),
                ("GET", Some(b"".as_slice()), false)
            );
            assert!(next().is_none());
        }
    }

    #[test]
    fn what_is_too_large_is_read_past() {
        let text = format!("POST /a HTTP/1.1\r\nContent-Length: 300\r\n\r\n{}GET /b HTTP/1.1\r\n\r\n", "x".repeat(300));
        let mut connection = connection(&text, 50);
        assert_eq!(connection.read(100).unwrap().unwrap().body, None);
        assert_eq!(connection.read(100).unwrap().unwrap().path, "/b");
    }

    #[test]
    fn a_sender_that_waits_is_told_to_go_on() {
        let head = "POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n";
        let mut connection = connection(&format!("{head}x"), head.len());
        assert_eq!(connection.read(9).unwrap().unwrap().body.as_deref(), Some(b"x".as_slice()));
        assert!(connection.stream.written.starts_with(b"HTTP/1.1 100 Continue"));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(2 * MOST_HEAD));
        for text in [
            "hello\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 9\r\n\r\nx",
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n",
            "GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\nx",
            "GET / HTTP/1.1\r\nHost",
            &long,
        ] {
            assert!(connection(text, 4096).read(100).is_err(), "{text:.60}");
        }
    }

    #[test]
    fn replies_hold_no_header_that_was_not_meant() {
        let mut connection = connection("", 1);
        connection.write(Status(200, "OK"), &[("A", "b\r\nC: d")], b"xy").unwrap();
        assert_eq!(connection.stream.written, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: bC: d\r\n\r\nxy");
    }
}
