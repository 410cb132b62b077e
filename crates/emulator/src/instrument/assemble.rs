//! The rewritten module put together: each section as it was, with what is added behind it. Called by
//! [`super::instrument`].

use std::sync::Arc;

use super::body::{Added, TraceGlobals, Writer, branch_body, trace_body};
use super::encode::{self, Emit, FUNCREF, I32, I64, unsigned};
use super::module::{Module, section};
use super::{InstrumentError, Instrumented, Layout, Ports, WINDOW_RECORDS};

/// The size of a page of linear memory (WebAssembly core specification 4.2.8).
const PAGE: u64 = 65536;

/// Most counters: the memory that holds them must be addressed by 32 bits with room to spare.
const MOST_COUNTERS: usize = 1 << 24;

/// Names of what is added; underscores are put before one that the module has itself.
const NAMES: [&str; 9] = [
    "forewarm:memory",
    "forewarm:table",
    "forewarm:clock",
    "forewarm:bulk",
    "forewarm:open",
    "forewarm:left",
    "forewarm:threshold",
    "forewarm:written",
    "forewarm:branching",
];

/// Name of the start function's export.
const START: &str = "forewarm:start";

/// Added globals, from the first that the module has not: whether it is an `i64`, and its first value.
const GLOBALS: [(u8, i32); 7] = [(I64, 0), (I64, 0), (I32, 0), (I32, 0), (I32, 0), (I32, 0), (I32, 0)];

pub(super) fn assemble(module: &Module<'_>, tracing: bool) -> Result<Instrumented, InstrumentError> {
    let tracing = tracing && !module.memories.is_empty();
    let added = added(module, tracing);
    let mut layout = Layout { imports: module.imports.clone(), ..Layout::default() };
    let mut bodies = Vec::new();
    for (number, body) in module.bodies.iter().enumerate() {
        let written = Writer::new(module, added, &mut layout, number).write(body, number)?;
        sized(&mut bodies, &written);
        if layout.stretches.len() > MOST_COUNTERS {
            return Err(InstrumentError::Unsupported("too many stretches of code"));
        }
    }
    let counters = layout.stretches.len() as u64 * 8;
    let globals = TraceGlobals { left: added.open + 1, threshold: added.open + 2, written: added.open + 3 };
    // What is called until the host has put its function in: nothing.
    sized(&mut bodies, &[0, encode::END]);
    sized(&mut bodies, &trace_body(&added, &globals, counters, WINDOW_RECORDS));
    sized(&mut bodies, &branch_body(&added, &globals, counters, WINDOW_RECORDS));
    let pages = (counters + u64::from(WINDOW_RECORDS) * 8).div_ceil(PAGE);
    let ports = ports(module, pages * PAGE);
    let bytes = Assembly { module, added, bodies, pages, ports: &ports }.bytes();
    let (layout, original) = (Arc::new(layout), Arc::new(module.wasm.to_vec()));
    Ok(Instrumented { bytes, layout, ports, tracing, original })
}

fn added(module: &Module<'_>, tracing: bool) -> Added {
    Added {
        tick_type: module.type_count(),
        tick_table: module.tables.len() as u32,
        trace_function: module.function_count() + 1,
        branch_function: module.function_count() + 2,
        memory: module.memories.len() as u32,
        clock: module.globals,
        bulk: module.globals + 1,
        open: module.globals + 2,
        branching: module.globals + 6,
        tracing,
    }
}

fn ports(module: &Module<'_>, memory_bytes: u64) -> Ports {
    let unused = |name: &str| {
        let mut name = name.to_owned();
        while module.exports.contains(&name) {
            name.insert(0, '_');
        }
        name
    };
    let [memory, table, clock, bulk, open, left, threshold, written, branching] = NAMES.map(unused);
    let start = module.start.map(|_| unused(START));
    Ports { memory, memory_bytes, table, clock, bulk, open, left, threshold, written, branching, start }
}

fn sized(out: &mut Vec<u8>, bytes: &[u8]) {
    unsigned(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

struct Assembly<'a> {
    module: &'a Module<'a>,
    added: Added,
    bodies: Vec<u8>,
    pages: u64,
    ports: &'a Ports,
}

impl Assembly<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut out = b"\0asm\x01\0\0\0".to_vec();
        for id in section::ORDER {
            let added = match id {
                section::TYPE => Some((2, self.types())),
                section::FUNCTION => Some((3, self.functions())),
                section::TABLE => Some((1, vec![FUNCREF, 1, 1, 1])),
                section::MEMORY => Some((1, self.memory())),
                section::GLOBAL => Some((GLOBALS.len() as u64, globals())),
                section::EXPORT => Some(self.exports()),
                section::ELEMENT => Some((1, self.element())),
                _ => None,
            };
            let old = self.module.sections.get(&id).copied();
            let mut content = Vec::new();
            match (id, added, old) {
                (section::START, ..) => continue,
                (section::CODE, ..) => {
                    unsigned(&mut content, self.module.bodies.len() as u64 + 3);
                    content.extend_from_slice(&self.bodies);
                }
                (_, Some((count, items)), old) => {
                    let old = old.unwrap_or_default();
                    unsigned(&mut content, old.count + count);
                    content.extend_from_slice(old.items);
                    content.extend_from_slice(&items);
                }
                (_, None, Some(old)) => content.extend_from_slice(old.whole),
                (_, None, None) => continue,
            }
            out.push(id);
            sized(&mut out, &content);
        }
        out
    }

    /// `() -> ()` and `(i64) -> ()`.
    #[expect(clippy::unused_self, reason = "one of a row")]
    fn types(&self) -> Vec<u8> {
        vec![0x60, 0, 0, 0x60, 1, I64, 0]
    }

    fn functions(&self) -> Vec<u8> {
        let mut out = Vec::new();
        unsigned(&mut out, u64::from(self.added.tick_type));
        unsigned(&mut out, u64::from(self.added.tick_type) + 1);
        unsigned(&mut out, u64::from(self.added.tick_type) + 1);
        out
    }

    fn memory(&self) -> Vec<u8> {
        let mut out = vec![1];
        unsigned(&mut out, self.pages);
        unsigned(&mut out, self.pages);
        out
    }

    fn exports(&self) -> (u64, Vec<u8>) {
        let (ports, added) = (self.ports, &self.added);
        let Ports { clock, bulk, open, left, threshold, written, branching, .. } = ports;
        let globals = [clock, bulk, open, left, threshold, written, branching];
        let mut out = Vec::new();
        let mut export = |name: &str, kind: u8, index: u32| {
            sized(&mut out, name.as_bytes());
            out.push(kind);
            unsigned(&mut out, u64::from(index));
        };
        // Kinds: 0 function, 1 table, 2 memory, 3 global (WebAssembly core specification 5.5.10).
        export(&ports.memory, 2, added.memory);
        export(&ports.table, 1, added.tick_table);
        for (number, name) in globals.into_iter().enumerate() {
            export(name, 3, added.clock + number as u32);
        }
        let start = ports.start.as_ref().zip(self.module.start);
        if let Some((name, index)) = start {
            export(name, 0, index);
        }
        (2 + globals.len() as u64 + u64::from(start.is_some()), out)
    }

    /// An active segment (kind 2: table index, offset, kind of element 0) that puts the empty function in.
    fn element(&self) -> Vec<u8> {
        let mut out = vec![2];
        unsigned(&mut out, u64::from(self.added.tick_table));
        out.i32(0);
        out.plain(&[encode::END, 0, 1]);
        unsigned(&mut out, u64::from(self.added.trace_function) - 1);
        out
    }
}

fn globals() -> Vec<u8> {
    let mut out = Vec::new();
    for (ty, value) in GLOBALS {
        // Mutable.
        out.extend_from_slice(&[ty, 1]);
        if ty == I64 {
            out.i64(i64::from(value));
        } else {
            out.i32(value);
        }
        out.plain(&[encode::END]);
    }
    out
}
