//! What a function's begin leads to, told from what may be data: which instruction sets that needs. Called where features
//! are met that nothing else of the program is sure to need.

use super::body::Body;
use super::code::Code;
use super::graph::Flow as Order;
use super::shapes::{Shape, Shapes};
use super::swift::{At, Listener};
use super::traits::Flow;

/// Tells what a function's begin leads to from what may be data; the buffers are reused from function to function.
#[derive(Default)]
pub(crate) struct Certain {
    body: Body,
    shapes: Shapes,
    order: Order,
}

impl Certain {
    /// Features of the instructions that the begin leads to of the function at a place in the list.
    pub(crate) fn features(&mut self, code: &Code<'_>, range: usize) -> u64 {
        let mut features = Features::default();
        if code.bytes(range).is_empty() {
            return 0;
        }
        self.body.outline(code, range, &mut self.shapes, &mut features);
        self.order.reach(&self.body.graph);
        let reached = |block: u32| self.order.is_reached(block);
        features.of(&self.body, reached)
    }
}

/// The instructions of a function that need some feature.
#[derive(Debug, Default)]
pub(super) struct Features {
    /// Instructions met so far.
    met: u32,
    /// By number.
    list: Vec<(u32, u64)>,
}

impl Features {
    pub(super) fn clear(&mut self) {
        self.met = 0;
        self.list.clear();
    }

    /// The number of the instruction that was met last.
    #[inline]
    pub(super) fn last(&self) -> u32 {
        self.met.wrapping_sub(1)
    }

    /// Those of the blocks that are `reached`.
    pub(super) fn of(&self, body: &Body, reached: impl Fn(u32) -> bool) -> u64 {
        let counts = |&&(at, _): &&(u32, u64)| reached(body.block_of(at));
        self.list.iter().filter(counts).fold(0, |set, (_, features)| set | features)
    }
}

impl Listener for Features {
    #[inline]
    fn meets(&mut self, _from: usize) {
        self.met += 1;
    }

    fn goes(&mut self, _at: At, _flow: Flow, _by: u64) {}

    fn leaves(&mut self, _at: At, _flow: Flow, _by: Option<u64>) {}

    fn touches(&mut self, _at: At, _takes: bool, _by: u64) {}

    fn number(&mut self, _at: At, _value: u32) {}

    fn shape(&mut self, _at: At, shape: &Shape) {
        if shape.kind.features != 0 {
            self.list.push((self.last(), shape.kind.features));
        }
    }
}
