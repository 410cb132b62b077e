//! The threads that speak the interface: one that takes connections, one per connection.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use forewarm_types::Seconds;
use forewarm_types::host::Clock;

use crate::api::{self, Event, MOST_PAYLOAD, Outcome, Phase, Ready, Reply, State, Wish, wish};
use crate::http::{Connection, ReadError, Request, Status};

/// Most connections at once; a runtime has one or two.
const MOST_CONNECTIONS: usize = 32;

/// How long a program that has ended is still heard: what it sent before is there, and read in microseconds.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// Bytes of a thread's stack.
const STACK: usize = 256 << 10;

/// Who may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peers {
    /// Whoever reaches the socket: it is in a network of the program's own.
    All,
    /// Processes of this user alone: the socket is in the machine's network.
    OwnUser,
}

/// An execution environment as who runs its program has it.
#[derive(Clone)]
pub struct Runtime {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Told of every change of the state.
    changed: Condvar,
    lines: Mutex<Lines>,
    /// Told of every connection that ends.
    ended: Condvar,
}

/// What is open.
#[derive(Default)]
struct Lines {
    listener: Option<Arc<TcpListener>>,
    connections: Vec<(u64, TcpStream)>,
    next: u64,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Runtime").field("phase", &self.shared.state().phase).finish_non_exhaustive()
    }
}

impl Runtime {
    /// One whose program has not been heard of; [`Self::serve`] makes it heard.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let (state, changed) = (Mutex::new(State::new()), Condvar::new());
        Self { shared: Arc::new(Shared { clock, state, changed, lines: Mutex::default(), ended: Condvar::new() }) }
    }

    /// Takes connections from a socket, by threads of its own, until [`Self::close`].
    ///
    /// # Errors
    /// Where no thread can be had.
    pub fn serve(&self, listener: TcpListener, peers: Peers) -> io::Result<()> {
        let listener = Arc::new(listener);
        lock(&self.shared.lines).listener = Some(Arc::clone(&listener));
        let shared = Arc::clone(&self.shared);
        thread("runtime-api", move || shared.listen(&listener, peers))?;
        if self.shared.state().closed {
            // Closed before there was anything to close.
            self.close();
        }
        Ok(())
    }

    /// Waits until the program asks for an event, until it has ended, or until a time on the monotonic clock.
    #[must_use]
    pub fn ready(&self, until: Option<Seconds>) -> Ready {
        let mut state = self.shared.state();
        loop {
            match &state.phase {
                Phase::Unable(error) => return Ready::Unable(error.clone()),
                _ if state.closed => return Ready::Closed,
                Phase::Waiting => return Ready::Asked(state.asked.unwrap_or_default()),
                _ => {}
            }
            let Some(until) = until else {
                state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = (until - self.shared.clock.monotonic()).0;
            if left <= 0.0 {
                return Ready::Late;
            }
            let waited = self.shared.changed.wait_timeout(state, Duration::from_secs_f64(left));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Hands the program an event, and waits for what comes of it. One at a time, as in Lambda.
    #[must_use]
    pub fn invoke(&self, event: Event) -> Outcome {
        let mut state = self.shared.state();
        (state.queued, state.outcome) = (Some(event), None);
        self.shared.changed.notify_all();
        loop {
            if let Some(outcome) = state.outcome.take() {
                return outcome;
            }
            if let Phase::Unable(error) = &state.phase {
                return Outcome::Unable(error.clone());
            }
            if state.closed {
                return if state.queued.take().is_some() { Outcome::Unasked } else { Outcome::Unanswered };
            }
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The program has ended: what it said last is heard, and whoever waits for it learns of its end.
    pub fn close(&self) {
        self.shared.state().ending = true;
        self.shared.changed.notify_all();
        let lines = lock(&self.shared.lines);
        let heard = self.shared.ended.wait_timeout_while(lines, LAST_WORDS, |lines| !lines.connections.is_empty());
        drop(heard);
        self.shared.state().closed = true;
        self.shared.changed.notify_all();
        let mut lines = lock(&self.shared.lines);
        if let Some(listener) = lines.listener.take() {
            // Wakes the thread that waits for connections: listen(2) sockets take no more of them then.
            let _ = rustix::net::shutdown(&*listener, rustix::net::Shutdown::Both);
        }
        for (_, connection) in lines.connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

/// A connection whose data is acknowledged at once: a sender that writes a request's head and body apart would else wait
/// for the acknowledgement of the first (Nagle's algorithm, RFC 896) up to 40 ms (tcp(7), `TCP_QUICKACK`).
struct Prompt<'a>(&'a TcpStream);

impl io::Read for Prompt<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // It does not last; where it cannot be had the sender waits.
        let _ = rustix::net::sockopt::set_tcp_quickack(self.0, true);
        self.0.read(buffer)
    }
}

impl io::Write for Prompt<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn thread(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).stack_size(STACK).spawn(body).map(drop)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every section leaves what it guards whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn listen(self: &Arc<Self>, listener: &TcpListener, peers: Peers) {
        while let Ok((stream, peer)) = listener.accept() {
            if self.state().closed {
                return;
            }
            let known = peers == Peers::All || listener.local_addr().is_ok_and(|local| is_own(peer, local));
            let Some(number) = known.then(|| self.keep(&stream)).flatten() else { continue };
            let _ = stream.set_nodelay(true);
            let shared = Arc::clone(self);
            // Without a thread the program finds its connection closed.
            let spoken = thread("runtime-api", move || {
                shared.attend(&stream);
                shared.forget(number);
            });
            if spoken.is_err() {
                self.forget(number);
            }
        }
    }

    /// Notes a connection, so that it can be closed; `None` where there are too many.
    fn keep(&self, stream: &TcpStream) -> Option<u64> {
        let mut lines = lock(&self.lines);
        if lines.connections.len() >= MOST_CONNECTIONS {
            return None;
        }
        let number = lines.next;
        lines.next += 1;
        lines.connections.push((number, stream.try_clone().ok()?));
        Some(number)
    }

    fn forget(&self, number: u64) {
        lock(&self.lines).connections.retain(|(other, _)| *other != number);
        self.ended.notify_all();
    }

    /// Answers the requests of a connection until it ends.
    fn attend(&self, stream: &TcpStream) {
        let mut connection = Connection::new(Prompt(stream));
        loop {
            let request = match connection.read(MOST_PAYLOAD) {
                Ok(Some(request)) => request,
                Err(ReadError::Malformed(why)) => {
                    let _ = answer(&mut connection, &Reply::malformed(why), false);
                    return;
                }
                Ok(None) | Err(ReadError::Line(_)) => return,
            };
            let answered = match wish(&request) {
                Wish::Next => self.next(&mut connection, &request),
                wish => answer(&mut connection, &self.take(&wish, &request), request.keep_alive),
            };
            if answered.is_err() || !request.keep_alive {
                return;
            }
        }
    }

    fn take(&self, wish: &Wish<'_>, request: &Request) -> Reply {
        let mut state = self.state();
        let reply = match wish {
            Wish::Response(id) => api::post(&mut state, id, request, false),
            Wish::Error(id) => api::post(&mut state, id, request, true),
            Wish::InitError => api::post_init_error(&mut state, request),
            Wish::Method => Reply::method(),
            Wish::Next | Wish::Unknown => Reply::not_found(),
        };
        drop(state);
        self.changed.notify_all();
        reply
    }

    /// Holds a request for an event until there is one.
    fn next<S: io::Read + io::Write>(&self, connection: &mut Connection<S>, request: &Request) -> io::Result<()> {
        let mut state = self.state();
        if matches!(state.phase, Phase::Given(_) | Phase::Unable(_)) {
            let reply = Reply::not_now(&state.phase);
            drop(state);
            return answer(connection, &reply, request.keep_alive);
        }
        state.phase = Phase::Waiting;
        state.asked.get_or_insert_with(|| self.clock.monotonic());
        state.turn += 1;
        let turn = state.turn;
        self.changed.notify_all();
        let event = loop {
            if state.ending || state.closed || state.turn != turn {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            if let Some(event) = state.queued.take() {
                break event;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        (state.phase, state.last) = (Phase::Given(event.id.clone()), Some(event.id.clone()));
        drop(state);
        let sent = hand(connection, &event);
        if sent.is_err() {
            // Nobody was there to take it: it is for whoever asks next.
            let mut state = self.state();
            (state.phase, state.queued) = (Phase::Busy, Some(event));
        }
        sent
    }
}

fn hand<S: io::Read + io::Write>(connection: &mut Connection<S>, event: &Event) -> io::Result<()> {
    let deadline = event.deadline_unix_ms.to_string();
    let headers = [
        ("Content-Type", "application/json"),
        ("Lambda-Runtime-Aws-Request-Id", event.id.as_str()),
        ("Lambda-Runtime-Deadline-Ms", &deadline),
        ("Lambda-Runtime-Invoked-Function-Arn", &event.function_arn),
        ("Lambda-Runtime-Trace-Id", &event.trace),
    ];
    connection.write(Status(200, "OK"), &headers, &event.body)
}

fn answer<S: io::Read + io::Write>(connection: &mut Connection<S>, reply: &Reply, keep_alive: bool) -> io::Result<()> {
    let mut headers = vec![("Content-Type", "application/json")];
    if !keep_alive {
        headers.push(("Connection", "close"));
    }
    connection.write(reply.status, &headers, reply.body.as_bytes())
}

/// Whether the other end of a connection over the loopback is a socket of this process' user, as the kernel lists it.
fn is_own(peer: SocketAddr, local: SocketAddr) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    owner(&table, peer, local) == Some(rustix::process::geteuid().as_raw())
}

/// The user of a socket, from the kernel's table: proc_pid_net(5), `tcp`, whose addresses are in the machine's byte order.
fn owner(table: &str, own: SocketAddr, other: SocketAddr) -> Option<u32> {
    let hexadecimal = |address: SocketAddr| match address {
        SocketAddr::V4(v4) => Some(format!("{:08X}:{:04X}", u32::from_ne_bytes(v4.ip().octets()), v4.port())),
        SocketAddr::V6(_) => None,
    };
    let (own, other) = (hexadecimal(own)?, hexadecimal(other)?);
    table.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        (fields.get(1) == Some(&own.as_str()) && fields.get(2) == Some(&other.as_str()))
            .then(|| fields.get(7)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    struct Still;

    impl Clock for Still {
        fn monotonic(&self) -> Seconds {
            Seconds(1.0)
        }

        fn unix(&self) -> Seconds {
            Seconds(1.0)
        }

        fn process_cpu(&self) -> Seconds {
            Seconds(0.0)
        }
    }

    const NEXT: &str = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n";

    fn event(id: &str) -> Event {
        let event = Event::local(b"[1]".to_vec(), "f", [1, 2], Seconds(1.0), Seconds(1.0));
        Event { id: id.to_owned(), ..event }
    }

    fn serving(peers: Peers) -> (Runtime, SocketAddr) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let runtime = Runtime::new(Arc::new(Still));
        runtime.serve(listener, peers).unwrap();
        (runtime, address)
    }

    /// Sends requests; the text of the replies that came within the first so many bytes read.
    fn say(line: &mut TcpStream, text: &str) -> String {
        line.write_all(text.as_bytes()).unwrap();
        let mut reply = vec![0; 4096];
        let count = line.read(&mut reply).unwrap();
        String::from_utf8_lossy(&reply[..count]).into_owned()
    }

    fn post(path: &str, body: &str) -> String {
        format!("POST /2018-06-01/runtime/{path} HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn events_are_handed_out_one_after_another() {
        let (runtime, address) = serving(Peers::OwnUser);
        let program = std::thread::spawn(move || {
            let mut line = TcpStream::connect(address).unwrap();
            for id in ["a", "b"] {
                let given = say(&mut line, NEXT);
                assert!(given.contains(&format!("Lambda-Runtime-Aws-Request-Id: {id}\r\n")) && given.ends_with("[1]"));
                assert!(say(&mut line, NEXT).starts_with("HTTP/1.1 403 "), "an event is answered before the next");
                let posted = say(&mut line, &post(&format!("invocation/{id}/response"), id));
                assert!(posted.starts_with("HTTP/1.1 202 "), "{posted}");
            }
            assert!(say(&mut line, "GET /nowhere HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
            assert!(say(&mut line, "nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
        });
        assert_eq!(runtime.ready(None), Ready::Asked(Seconds(1.0)));
        assert_eq!(runtime.invoke(event("a")), Outcome::Response(b"a".to_vec()));
        assert_eq!(runtime.invoke(event("b")), Outcome::Response(b"b".to_vec()));
        program.join().unwrap();
        runtime.close();
        assert_eq!(runtime.ready(None), Ready::Closed);
        assert!(TcpStream::connect(address).is_err() || TcpStream::connect(address).is_err());
    }

    #[test]
    fn who_waits_learns_of_the_end() {
        let (runtime, address) = serving(Peers::All);
        assert_eq!(runtime.ready(Some(Seconds(0.5))), Ready::Late);
        let waiting = runtime.clone();
        let invoked = std::thread::spawn(move || waiting.invoke(event("a")));
        let mut line = TcpStream::connect(address).unwrap();
        assert!(say(&mut line, NEXT).starts_with("HTTP/1.1 200 "));
        runtime.close();
        assert_eq!(invoked.join().unwrap(), Outcome::Unanswered);
        assert_eq!(runtime.invoke(event("b")), Outcome::Unasked);
        assert!(matches!(line.read(&mut [0; 8]), Ok(0) | Err(_)));
    }

    #[test]
    fn a_runtime_that_cannot_begin_says_so() {
        let (runtime, address) = serving(Peers::All);
        let mut line = TcpStream::connect(address).unwrap();
        let said = say(&mut line, &post("init/error", r#"{"errorType": "T", "errorMessage": "m"}"#));
        assert!(said.starts_with("HTTP/1.1 202 "));
        assert!(matches!(runtime.ready(None), Ready::Unable(error) if error.kind == "T"));
        assert!(matches!(runtime.invoke(event("a")), Outcome::Unable(error) if error.message == "m"));
    }

    #[test]
    fn of_two_that_wait_the_later_is_answered() {
        let (runtime, address) = serving(Peers::All);
        let mut first = TcpStream::connect(address).unwrap();
        first.write_all(NEXT.as_bytes()).unwrap();
        assert_eq!(runtime.ready(None), Ready::Asked(Seconds(1.0)));
        let mut second = TcpStream::connect(address).unwrap();
        second.write_all(NEXT.as_bytes()).unwrap();
        assert!(matches!(first.read(&mut [0; 8]), Ok(0) | Err(_)), "the earlier one is let go");
        let waiting = runtime.clone();
        let invoked = std::thread::spawn(move || waiting.invoke(event("a")));
        assert!(second.read(&mut [0; 4096]).unwrap() > 0);
        runtime.close();
        assert_eq!(invoked.join().unwrap(), Outcome::Unanswered);
    }

    #[test]
    fn the_kernel_names_the_owner_of_a_connection() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                     0: 0100007F:2329 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1\n   \
                     1: 0100007F:D431 0100007F:2329 01 00000000:00000000 00:00000000 00000000  1000        0 2\n";
        let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        if cfg!(target_endian = "little") {
            assert_eq!(owner(table, at(0xd431), at(9001)), Some(1000));
        }
        assert_eq!(owner(table, at(1), at(9001)), None);
    }
}
