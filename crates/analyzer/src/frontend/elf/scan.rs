//! A first look at every function: what it calls, the addresses it takes, the data it touches, the features it needs,
//! whether anything in it repeats, and whether it asks the processor what it can do.
//!
//! Instructions are told by their shape alone (see [`super::shapes`]). The functions that matter are decoded and
//! followed later.

use std::ops::Range;

use super::body::{Body, MAX_BYTES};
use super::code::{Callee, Code};
use super::graph::Flow as Order;
use super::shapes::{Place, Shapes};
use super::traits::{Flow, Table};

/// A function's part.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scan {
    /// Features of the instructions that the function's begin leads to.
    pub features: u64,
    /// Features of what no way leads to, which may be data.
    pub doubtful: u64,
    pub system_calls: u32,
    pub locked: u32,
    pub instructions: u32,
    /// Asks the processor: `cpuid`, `xgetbv`.
    pub asks: bool,
    /// Whether something in it goes back.
    pub repeats: bool,
    calls: Range<u32>,
    taken: Range<u32>,
    data: Range<u32>,
}

/// What all functions tell, by place in the list.
#[derive(Debug, Default)]
pub(crate) struct Scans {
    pub list: Vec<Scan>,
    calls: Vec<u32>,
    taken: Vec<u32>,
    data: Vec<u64>,
}

impl Scans {
    /// Functions that one calls or jumps to, by number; some more than once.
    pub(crate) fn calls(&self, scan: &Scan) -> &[u32] {
        &self.calls[scan.calls.start as usize..scan.calls.end as usize]
    }

    /// Functions whose address it takes, by number.
    pub(crate) fn taken(&self, scan: &Scan) -> &[u32] {
        &self.taken[scan.taken.start as usize..scan.taken.end as usize]
    }

    /// Addresses of data that the program can write.
    pub(crate) fn data(&self, scan: &Scan) -> &[u64] {
        &self.data[scan.data.start as usize..scan.data.end as usize]
    }

    /// All functions whose address is taken.
    pub(crate) fn all_taken(&self) -> &[u32] {
        &self.taken
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Scan> {
        self.list.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Adds what was found of the functions that follow.
    pub(crate) fn append(&mut self, other: &Self) {
        let by = [self.calls.len() as u32, self.taken.len() as u32, self.data.len() as u32];
        let moved = |range: &Range<u32>, by: u32| range.start + by..range.end + by;
        self.list.extend(other.list.iter().map(|scan| Scan {
            calls: moved(&scan.calls, by[0]),
            taken: moved(&scan.taken, by[1]),
            data: moved(&scan.data, by[2]),
            ..scan.clone()
        }));
        self.calls.extend_from_slice(&other.calls);
        self.taken.extend_from_slice(&other.taken);
        self.data.extend_from_slice(&other.data);
    }
}

/// Looks at functions; the buffers are reused from function to function.
#[derive(Default)]
pub(crate) struct Scanner {
    shapes: Shapes,
    body: Body,
    traits: Table,
    order: Order,
}

impl Scanner {
    /// Looks at the function at a place in the list.
    pub(crate) fn function(&mut self, code: &Code<'_>, range: usize, out: &mut Scans) {
        let (calls, taken, data) = (out.calls.len() as u32, out.taken.len() as u32, out.data.len() as u32);
        let mut scan = Scan::default();
        let bytes = code.bytes(range);
        if bytes.len() as u64 <= MAX_BYTES {
            self.look(code, range, &mut scan, out);
        }
        if scan.features != 0 {
            self.doubt(code, range, &mut scan);
        }
        let lists = (&mut out.calls, &mut out.taken, &mut out.data);
        scan.calls = calls..lists.0.len() as u32;
        scan.taken = taken..lists.1.len() as u32;
        scan.data = data..lists.2.len() as u32;
        out.list.push(scan);
    }

    fn look(&mut self, code: &Code<'_>, range: usize, scan: &mut Scan, out: &mut Scans) {
        let (bytes, start) = (code.bytes_from(range), code.functions.ranges[range].start);
        let end = code.bytes(range).len();
        let fixed = !code.image.moves();
        let mut at = 0;
        while at < end {
            let address = start.wrapping_add(at as u64);
            let (length, shape) = self.shapes.read(&bytes[at..], end - at, address);
            let from = at as u64;
            at += length;
            scan.instructions += 1;
            let Some(shape) = shape else { continue };
            let kind = shape.kind;
            scan.features |= kind.features;
            let next = address.wrapping_add(length as u64);
            if kind.flow == Flow::Next {
                scan.asks |= kind.asks;
                scan.system_calls += u32::from(kind.system_call);
                scan.locked += u32::from(kind.locks);
                scan.repeats |= kind.repeats;
                match shape.place {
                    Place::Elsewhere if kind.number && fixed => out.taken.extend(code.number_of(shape.value)),
                    Place::Elsewhere => {}
                    Place::Relative(by) => touch(code, next.wrapping_add(by), kind.lea, out),
                    Place::Absolute(address) if fixed && address != 0 && code.image.writable(address) => {
                        out.data.push(address);
                    }
                    Place::Absolute(_) => {}
                }
                continue;
            }
            let callee = match kind.flow {
                Flow::Next | Flow::Return | Flow::Stop => continue,
                Flow::Call | Flow::Jump | Flow::Branch => {
                    let target = next.wrapping_add(shape.value);
                    let inside = target.wrapping_sub(start);
                    if inside < end as u64 && kind.flow != Flow::Call {
                        scan.repeats |= inside <= from;
                        continue;
                    }
                    code.callee(target)
                }
                Flow::IndirectCall | Flow::IndirectJump => match shape.place {
                    Place::Relative(by) => code.slot(next.wrapping_add(by)),
                    _ => continue,
                },
            };
            if let Callee::Known(number) = callee {
                out.calls.push(number);
            }
        }
    }

    /// Tells features of what the function's begin leads to from those of the rest.
    fn doubt(&mut self, code: &Code<'_>, range: usize, scan: &mut Scan) {
        self.body.decode(code.bytes(range), code.functions.ranges[range].start);
        self.body.cut(code, &mut self.traits);
        self.order.reach(&self.body.graph);
        if self.order.order.len() == self.body.blocks.len() {
            return;
        }
        scan.doubtful = std::mem::take(&mut scan.features);
        for &block in &self.order.order {
            let block = self.body.blocks[block as usize];
            for instruction in &self.body.instructions[block.first as usize..block.end as usize] {
                scan.features |= self.traits.of(instruction).features;
            }
        }
    }
}

/// Notes an address that an instruction names: a function whose address is taken, or data that can be written.
fn touch(code: &Code<'_>, address: u64, takes: bool, out: &mut Scans) {
    if takes && let Some(number) = code.number_of(address) {
        out.taken.push(number);
    } else if code.image.writable(address) {
        out.data.push(address);
    }
}
