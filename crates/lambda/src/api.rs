//! What the interface is: events, what comes of them, the states of one execution environment, and the replies to each
//! request.
//!
//! Paths and statuses are those of the OpenAPI specification that AWS publishes with the Lambda Developer Guide ("Using the
//! Lambda runtime API for custom runtimes"); where that is silent, those of its runtime interface emulator.

use forewarm_types::Seconds;
use serde::{Deserialize, Serialize};

use crate::http::{Request, Status};

/// Most bytes of an event or a response: 6 MiB and what surrounds them (AWS Lambda Developer Guide, "Lambda quotas"; the
/// runtime interface emulator's `MaxPayloadSize`).
pub const MOST_PAYLOAD: usize = 6 * 1024 * 1024 + 100;

/// Most bytes of an error that are looked at: what Lambda takes of asynchronous events (256 KiB, "Lambda quotas"), which
/// carry errors on to other functions.
const MOST_ERROR: usize = 256 << 10;

/// The beginning of every path.
const VERSION: &str = "/2018-06-01/runtime/";

/// An event for a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The request's identifier.
    pub id: String,
    /// When the function must have answered, in milliseconds since the Unix epoch.
    pub deadline_unix_ms: u64,
    /// The function's resource name.
    pub function_arn: String,
    /// The header for tracing.
    pub trace: String,
    /// The event itself: JSON.
    pub body: Vec<u8>,
}

impl Event {
    /// An event of a function of that name on this machine, with an identifier made of two numbers.
    #[must_use]
    pub fn local(body: Vec<u8>, function: &str, identity: [u64; 2], unix: Seconds, left: Seconds) -> Self {
        let [high, low] = identity;
        let seconds = unix.0.max(0.0) as u64;
        Self {
            id: format!(
                "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
                high >> 32,
                (high >> 16) & 0xffff,
                high & 0xfff,
                (low >> 48) & 0xfff,
                low & 0xffff_ffff_ffff
            ),
            deadline_unix_ms: ((unix.0 + left.0).max(0.0) * 1e3) as u64,
            function_arn: format!("arn:aws:lambda:local:000000000000:function:{function}"),
            // X-Ray Developer Guide, "Tracing header".
            trace: format!("Root=1-{seconds:08x}-{:08x}{high:016x};Sampled=0", low >> 32),
            body,
        }
    }
}

/// An error as runtimes report it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FunctionError {
    /// Its kind.
    #[serde(rename = "errorType", default)]
    pub kind: String,
    /// What it says.
    #[serde(rename = "errorMessage", default)]
    pub message: String,
    /// Where it came from, innermost first.
    #[serde(rename = "stackTrace", default)]
    pub trace: Vec<String>,
}

impl FunctionError {
    /// From what was posted; what is no report of an error is its message.
    fn of(request: &Request) -> Self {
        let body = request.body.as_deref().unwrap_or_default();
        let body = body.get(..MOST_ERROR).unwrap_or(body);
        let mut error = serde_json::from_slice::<Self>(body)
            .unwrap_or_else(|_| Self { message: String::from_utf8_lossy(body).into_owned(), ..Self::default() });
        if error.kind.is_empty() {
            error.kind = request.error_type.clone().unwrap_or_else(|| "Unknown".to_owned());
        }
        error
    }
}

/// What came of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The function's response.
    Response(Vec<u8>),
    /// The function failed.
    Failed(FunctionError),
    /// The runtime could not begin.
    Unable(FunctionError),
    /// The response was larger than [`MOST_PAYLOAD`].
    TooLarge,
    /// The program ended, or was ended, before it asked for the event.
    Unasked,
    /// The program ended, or was ended, before it answered.
    Unanswered,
}

/// How far a program came that was started for the interface.
#[derive(Debug, Clone, PartialEq)]
pub enum Ready {
    /// It asked for an event, first at this time on the monotonic clock.
    Asked(Seconds),
    /// It says that it cannot begin.
    Unable(FunctionError),
    /// It has ended.
    Closed,
    /// It did not in the time given.
    Late,
}

/// Where an execution environment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The program has not asked for anything yet, or not since it answered.
    Busy,
    /// It waits for an event.
    Waiting,
    /// It was handed the event of this identifier.
    Given(String),
    /// It said that it cannot begin.
    Unable(FunctionError),
}

/// All that is known of an execution environment.
#[derive(Debug)]
pub(crate) struct State {
    pub phase: Phase,
    /// When it first asked for an event.
    pub asked: Option<Seconds>,
    /// The event that was handed out last.
    pub last: Option<String>,
    pub queued: Option<Event>,
    pub outcome: Option<Outcome>,
    /// Counts requests for an event, so that of two that wait the later one is answered.
    pub turn: u64,
    /// Whether nothing more is handed out.
    pub ending: bool,
    /// Whether nobody is heard any more.
    pub closed: bool,
}

impl State {
    pub fn new() -> Self {
        let (asked, last, queued, outcome) = (None, None, None, None);
        Self { phase: Phase::Busy, asked, last, queued, outcome, turn: 0, ending: false, closed: false }
    }
}

/// What a request wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish<'a> {
    Next,
    Response(&'a str),
    Error(&'a str),
    InitError,
    /// A path of the interface with another method.
    Method,
    Unknown,
}

/// Reads a request's path and method.
pub(crate) fn wish(request: &Request) -> Wish<'_> {
    let path = request.path.split(['?', '#']).next().unwrap_or_default();
    let Some(rest) = path.strip_prefix(VERSION) else { return Wish::Unknown };
    let parts: Vec<&str> = rest.split('/').collect();
    let (method, wish) = match parts.as_slice() {
        ["invocation", "next"] => ("GET", Wish::Next),
        ["invocation", id, "response"] => ("POST", Wish::Response(id)),
        ["invocation", id, "error"] => ("POST", Wish::Error(id)),
        ["init", "error"] => ("POST", Wish::InitError),
        _ => return Wish::Unknown,
    };
    if request.method == method { wish } else { Wish::Method }
}

/// A reply without an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub status: Status,
    pub body: String,
}

impl Reply {
    pub fn accepted() -> Self {
        Self { status: Status(202, "Accepted"), body: "{\"status\":\"OK\"}\n".to_owned() }
    }

    fn refused(status: Status, kind: &str, message: &str) -> Self {
        let error = FunctionError { kind: kind.to_owned(), message: message.to_owned(), trace: Vec::new() };
        let body = serde_json::json!({"errorMessage": error.message, "errorType": error.kind});
        Self { status, body: format!("{body}\n") }
    }

    pub fn not_now(state: &Phase) -> Self {
        let stands = match state {
            Phase::Busy => "no event was handed out",
            Phase::Waiting => "it waits for an event already",
            Phase::Given(_) => "the event that was handed out is not answered",
            Phase::Unable(_) => "it said that it cannot begin",
        };
        Self::refused(Status(403, "Forbidden"), "InvalidStateTransition", stands)
    }

    pub fn unknown_id() -> Self {
        Self::refused(Status(400, "Bad Request"), "InvalidRequestID", "Invalid request ID")
    }

    pub fn too_large() -> Self {
        let message = format!("Exceeded maximum allowed payload size ({MOST_PAYLOAD} bytes).");
        Self::refused(Status(413, "Payload Too Large"), "RequestEntityTooLarge", &message)
    }

    pub fn malformed(why: &str) -> Self {
        Self::refused(Status(400, "Bad Request"), "InvalidRequest", why)
    }

    pub fn not_found() -> Self {
        Self::refused(Status(404, "Not Found"), "NotFound", "there is no such part of the runtime API")
    }

    pub fn method() -> Self {
        Self::refused(Status(405, "Method Not Allowed"), "MethodNotAllowed", "not by this method")
    }
}

/// Takes what a runtime posts of the event it was handed, and says what it is replied.
pub(crate) fn post(state: &mut State, id: &str, request: &Request, failed: bool) -> Reply {
    match &state.phase {
        Phase::Given(given) if given == id => {}
        phase if state.last.as_deref() == Some(id) => return Reply::not_now(phase),
        _ => return Reply::unknown_id(),
    }
    let (outcome, reply) = match &request.body {
        None if !failed => (Outcome::TooLarge, Reply::too_large()),
        _ if failed => (Outcome::Failed(FunctionError::of(request)), Reply::accepted()),
        body => (Outcome::Response(body.clone().unwrap_or_default()), Reply::accepted()),
    };
    (state.phase, state.outcome) = (Phase::Busy, Some(outcome));
    reply
}

/// Takes a runtime's word that it cannot begin.
pub(crate) fn post_init_error(state: &mut State, request: &Request) -> Reply {
    if state.asked.is_some() || matches!(state.phase, Phase::Unable(_)) {
        return Reply::not_now(&state.phase);
    }
    state.phase = Phase::Unable(FunctionError::of(request));
    Reply::accepted()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str, body: &str) -> Request {
        let (method, path, body) = (method.to_owned(), path.to_owned(), Some(body.as_bytes().to_vec()));
        Request { method, path, keep_alive: true, error_type: Some("Header".to_owned()), body }
    }

    #[test]
    fn paths_lead_where_they_should() {
        let check = |method: &str, path: &str, expected: Wish<'_>| {
            assert_eq!(wish(&request(method, path, "")), expected, "{method} {path}");
        };
        check("GET", "/2018-06-01/runtime/invocation/next", Wish::Next);
        check("GET", "/2018-06-01/runtime/invocation/next?a=b", Wish::Next);
        check("POST", "/2018-06-01/runtime/invocation/next", Wish::Method);
        check("POST", "/2018-06-01/runtime/invocation/x/response", Wish::Response("x"));
        check("POST", "/2018-06-01/runtime/invocation/x/error", Wish::Error("x"));
        check("POST", "/2018-06-01/runtime/init/error", Wish::InitError);
        check("GET", "/2018-06-01/runtime/invocation/x", Wish::Unknown);
        check("GET", "/2020-01-01/extension/register", Wish::Unknown);
        check("GET", "*", Wish::Unknown);
    }

    #[test]
    fn an_event_is_answered_once_and_by_its_own_name() {
        let mut state = State::new();
        let (id, post_to) = ("one".to_owned(), request("POST", "", "{\"a\":1}"));
        assert_eq!(post(&mut state, "one", &post_to, false).status.0, 400);
        (state.phase, state.last) = (Phase::Given(id.clone()), Some(id));
        assert_eq!(post(&mut state, "two", &post_to, false).status.0, 400);
        assert_eq!(post(&mut state, "one", &post_to, false).status.0, 202);
        assert_eq!(state.outcome, Some(Outcome::Response(b"{\"a\":1}".to_vec())));
        assert_eq!(post(&mut state, "one", &post_to, false).status.0, 403);
    }

    #[test]
    fn errors_are_read_as_far_as_they_can_be() {
        let of = |body: &str| FunctionError::of(&request("POST", "", body));
        let whole = of(r#"{"errorMessage": "m", "errorType": "T", "stackTrace": ["a", "b"]}"#);
        assert_eq!((whole.kind.as_str(), whole.message.as_str(), whole.trace.len()), ("T", "m", 2));
        assert_eq!((of("{}").kind.as_str(), of("not json").message.as_str()), ("Header", "not json"));
    }

    #[test]
    fn a_response_too_large_ends_the_event() {
        let mut state = State::new();
        state.phase = Phase::Given("one".to_owned());
        let reply = post(&mut state, "one", &Request { body: None, ..request("POST", "", "") }, false);
        assert_eq!((reply.status.0, &state.outcome), (413, &Some(Outcome::TooLarge)));
        assert!(reply.body.contains("RequestEntityTooLarge"));
    }

    #[test]
    fn a_runtime_cannot_begin_only_before_it_has() {
        let mut state = State::new();
        let word = request("POST", "", r#"{"errorType": "T"}"#);
        assert_eq!(post_init_error(&mut state, &word).status.0, 202);
        assert_eq!(post_init_error(&mut state, &word).status.0, 403);
        let mut state = State { asked: Some(Seconds(1.0)), ..State::new() };
        assert_eq!(post_init_error(&mut state, &word).status.0, 403);
    }

    #[test]
    fn local_events_carry_what_runtimes_read() {
        let event = Event::local(b"{}".to_vec(), "f", [0x0123_4567_89ab_cdef, 42], Seconds(1.5), Seconds(2.0));
        assert_eq!(event.deadline_unix_ms, 3500);
        let lengths: Vec<usize> = event.id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{}", event.id);
        assert!(event.trace.starts_with("Root=1-00000001-000000000123456789abcdef;"), "{}", event.trace);
    }
}
