//! Random but valid modules of a wanted code size, for compile times, and for tests that want foreign code.
//!
//! Function sizes follow a log-normal law and bodies mix assignments, memory accesses, branches, loops and calls, as
//! compiled C and Rust do; the shares are written beside [`statement`]. The code is to be compiled, not run: nothing
//! bounds its loops. Called by [`crate::calibrate()`] and by tests.

use std::borrow::Cow;

use forewarm_types::host::Randomness;
use wasm_encoder::Instruction::{self, *};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ElementSection, Elements, ExportKind, ExportSection, Function, FunctionSection,
    MemArg, Module, RefType, TableSection, TableType, TypeSection, ValType,
};

use super::kernels::{EXPORT, memories};
use super::{below, unit};

/// Median bytes of a function body and standard deviation of its logarithm.
///
/// Measured on real modules for WASI: resvg (2,527 functions: median 269, deviation 1.79, mean 728), CPython 3.12
/// (11,448: 212, 1.16, 536), Graphviz (1,205: 226, 1.41, 656), flite (643: 95, 1.56, 304), esbuild (8,236: 628, 1.23,
/// 1,671). The law chosen has mean 678.
const MEDIAN_BYTES: f64 = 220.0;
/// See [`MEDIAN_BYTES`].
const LOG_DEVIATION: f64 = 1.5;

/// The largest body: resvg's has 30,211 bytes, Graphviz's 24,215.
const LARGEST_BYTES: f64 = 30_000.0;

/// Every function is `(i32, i32, i64, f64) -> i32`.
const PARAMETERS: [ValType; 4] = [ValType::I32, ValType::I32, ValType::I64, ValType::F64];

/// Functions that the table holds, for indirect calls.
const TABLE_SIZE: u32 = 64;

/// A random module whose code section has about `code_bytes` bytes.
#[must_use]
pub fn random_module(code_bytes: u64, random: &mut dyn Randomness) -> Vec<u8> {
    let sizes = function_sizes(code_bytes, random);
    let count = sizes.len() as u32;
    let mut code = CodeSection::new();
    for size in sizes {
        code.function(&Writer::new(count, size, random).function());
    }
    assemble(count, &code)
}

fn function_sizes(code_bytes: u64, random: &mut dyn Randomness) -> Vec<usize> {
    let mut left = code_bytes as f64;
    let mut sizes = Vec::new();
    while left > 0.0 {
        // Box and Muller 1958: a normal deviate from two uniform ones.
        let radius = (-2.0 * (1.0 - unit(random)).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * unit(random)).cos();
        let size = (MEDIAN_BYTES * (LOG_DEVIATION * normal).exp()).clamp(24.0, LARGEST_BYTES);
        sizes.push(size as usize);
        left -= size;
    }
    sizes
}

fn assemble(count: u32, code: &CodeSection) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function(PARAMETERS, [ValType::I32]);
    let mut functions = FunctionSection::new();
    (0..count).for_each(|_| {
        functions.function(0);
    });
    let mut tables = TableSection::new();
    let size = u64::from(TABLE_SIZE);
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: size,
        maximum: Some(size),
        shared: false,
    });
    let mut exports = ExportSection::new();
    exports.export(EXPORT, ExportKind::Func, 0);
    let mut elements = ElementSection::new();
    let entries: Vec<u32> = (0..TABLE_SIZE).map(|at| at % count.max(1)).collect();
    elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(Cow::Owned(entries)));
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&tables).section(&memories(2)).section(&exports);
    module.section(&elements).section(code);
    module.finish()
}

/// Writes one function's body.
struct Writer<'r> {
    random: &'r mut dyn Randomness,
    function: Function,
    functions: u32,
    wanted: usize,
    ints: Vec<u32>,
    longs: Vec<u32>,
    reals: Vec<u32>,
    depth: u32,
    /// i32 locals assigned and not yet read: compiled code holds hardly any value that nothing reads.
    unread: Vec<u32>,
}

impl<'r> Writer<'r> {
    fn new(functions: u32, wanted: usize, random: &'r mut dyn Randomness) -> Self {
        // LLVM's wasm back end keeps about one local per 30 bytes of body, mostly i32.
        let spare = (wanted as u32 / 30).clamp(1, 60);
        let (ints, longs, reals) = (spare, spare / 6 + 1, spare / 8 + 1);
        let locals = vec![(ints, ValType::I32), (longs, ValType::I64), (reals, ValType::F64)];
        Self {
            random,
            function: Function::new(locals),
            functions,
            wanted,
            ints: [0, 1].into_iter().chain(4..4 + ints).collect(),
            longs: std::iter::once(2).chain(4 + ints..4 + ints + longs).collect(),
            reals: std::iter::once(3).chain(4 + ints + longs..4 + ints + longs + reals).collect(),
            depth: 0,
            unread: Vec::new(),
        }
    }

    fn function(mut self) -> Function {
        while self.function.byte_len() + 20 < self.wanted {
            self.statement();
        }
        self.emit(LocalGet(0));
        for local in std::mem::take(&mut self.unread) {
            self.emit(LocalGet(local));
            self.emit(I32Add);
        }
        let (long, real) = (self.longs[0], self.reals[0]);
        for instruction in [LocalGet(long), I32WrapI64, I32Xor, LocalGet(real), I32TruncSatF64S, I32Xor, End] {
            self.emit(instruction);
        }
        self.function
    }

    fn emit(&mut self, instruction: Instruction<'_>) {
        self.function.instruction(&instruction);
    }

    fn chance(&mut self, limit: u64) -> u64 {
        below(self.random, limit)
    }

    fn pick(&mut self, from: fn(&Self) -> &Vec<u32>) -> u32 {
        let count = from(self).len() as u64;
        let at = self.chance(count) as usize;
        from(self)[at]
    }

    /// One statement, of 100: 34 integer assignments, 18 stores, 6 wide and 6 float assignments, 14 calls, 22 branches.
    fn statement(&mut self) {
        let nested = self.depth < 6 && self.wanted > 40;
        match self.chance(100) {
            0..34 => self.assign_int(),
            34..52 => self.store(),
            52..58 => self.assign_long(),
            58..64 => self.assign_real(),
            64..78 => self.call(),
            78..92 if nested => self.branch(),
            92..97 if nested => self.repeat(),
            97..100 if nested => self.switch(),
            _ => self.assign_int(),
        }
    }

    fn block(&mut self) {
        self.depth += 1;
        for _ in 0..1 + self.chance(5) {
            self.statement();
        }
        self.depth -= 1;
    }

    fn assign_int(&mut self) {
        self.int(2);
        self.keep();
    }

    /// Sets an i32 local whose value has been read, where there is one.
    fn keep(&mut self) {
        let mut target = self.pick(|writer| &writer.ints);
        if self.unread.contains(&target) {
            target = self.pick(|writer| &writer.ints);
        }
        self.emit(LocalSet(target));
        self.unread.retain(|local| *local != target);
        self.unread.push(target);
    }

    fn assign_long(&mut self) {
        let target = self.pick(|writer| &writer.longs);
        self.emit(LocalGet(target));
        self.int(1);
        self.emit(I64ExtendI32U);
        let operator =
            [I64Add, I64Sub, I64Mul, I64And, I64Or, I64Xor, I64Shl, I64ShrU][self.chance(8) as usize].clone();
        self.emit(operator);
        self.emit(LocalSet(target));
    }

    fn assign_real(&mut self) {
        let target = self.pick(|writer| &writer.reals);
        self.emit(LocalGet(target));
        self.int(1);
        let memarg = self.memarg();
        self.emit(F64Load(memarg));
        let operator = [F64Add, F64Sub, F64Mul, F64Div][self.chance(4) as usize].clone();
        self.emit(operator);
        self.emit(LocalSet(target));
    }

    fn store(&mut self) {
        let address = self.pick(|writer| &writer.ints);
        self.emit(LocalGet(address));
        self.int(1);
        let memarg = self.memarg();
        let wide = self.chance(4);
        self.emit(if wide == 0 { I32Store8(memarg) } else { I32Store(memarg) });
    }

    fn call(&mut self) {
        let (long, real) = (self.pick(|writer| &writer.longs), self.pick(|writer| &writer.reals));
        self.int(0);
        self.int(0);
        self.emit(LocalGet(long));
        self.emit(LocalGet(real));
        if self.chance(8) == 0 {
            self.int(0);
            self.emit(CallIndirect { type_index: 0, table_index: 0 });
        } else {
            let callee = self.chance(u64::from(self.functions)) as u32;
            self.emit(Call(callee));
        }
        if self.chance(3) == 0 {
            self.emit(Drop);
        } else {
            self.keep();
        }
    }

    /// `block … br_if … end`, LLVM's form of a condition, now and then with an outer target.
    fn branch(&mut self) {
        self.emit(Block(BlockType::Empty));
        self.int(1);
        let test = [I32Eqz, I32Eqz, Nop][self.chance(3) as usize].clone();
        self.emit(test);
        let out = self.chance(3).min(u64::from(self.depth)) as u32;
        self.emit(BrIf(out));
        self.block();
        self.emit(End);
    }

    fn repeat(&mut self) {
        self.emit(Loop(BlockType::Empty));
        self.block();
        self.int(1);
        self.emit(BrIf(0));
        self.emit(End);
    }

    fn switch(&mut self) {
        let arms = 3 + self.chance(6) as u32;
        (0..=arms).for_each(|_| self.emit(Block(BlockType::Empty)));
        self.int(0);
        let labels: Vec<u32> = (0..arms).collect();
        self.emit(BrTable(Cow::Owned(labels), arms));
        for left in (0..=arms).rev() {
            self.emit(End);
            self.statement_in_arm(left);
        }
    }

    fn statement_in_arm(&mut self, left: u32) {
        self.assign_int();
        if left > 0 {
            self.emit(Br(left - 1));
        }
    }

    /// Pushes an i32: an expression at most `depth` operators deep.
    fn int(&mut self, depth: u32) {
        let choice = if depth == 0 { self.chance(6) } else { self.chance(20) };
        match choice {
            0..4 => {
                let local = self.unread.pop().unwrap_or_else(|| self.pick(|writer| &writer.ints));
                self.emit(LocalGet(local));
            }
            4..6 => {
                let value = self.chance(1 << 12) as i32;
                self.emit(I32Const(value));
            }
            6..11 => {
                self.int(depth - 1);
                let memarg = self.memarg();
                let narrow = self.chance(5);
                self.emit(if narrow == 0 { I32Load8U(memarg) } else { I32Load(memarg) });
            }
            _ => self.binary(depth),
        }
    }

    fn binary(&mut self, depth: u32) {
        self.int(depth - 1);
        self.int(depth - 1);
        let operators = [
            I32Add, I32Add, I32Add, I32Add, I32Sub, I32And, I32Or, I32Xor, I32Shl, I32ShrU, I32Mul, I32Eq, I32Ne,
            I32LtU, I32GtS, I32LtS,
        ];
        let at = self.chance(operators.len() as u64) as usize;
        self.emit(operators[at].clone());
    }

    fn memarg(&mut self) -> MemArg {
        MemArg { offset: self.chance(32) * 4, align: 0, memory_index: 0 }
    }
}
