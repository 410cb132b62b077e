//! What a front end makes of a file: a program, what its surroundings tell, and a way to ask again about the functions
//! that turn out to matter. Called by [`crate::analyze`] and the analyses it runs.

use std::collections::{BTreeMap, BTreeSet};

use forewarm_types::demand::{CompileDemand, Contention, IoKind, IsaDemand, Parallelism, ParallelismKind};
use forewarm_types::{Basis, Estimate, NativeDemand};

use crate::dependence::{Accesses, Finding};
use crate::effects::{Callees, Effects};
use crate::error::AnalyzeError;
use crate::program::{Forest, Function, Program};

/// A file, read.
pub(crate) struct Reading<'a> {
    /// The name of the entry point; `None` where there is none, so that no run can be told.
    pub entry: Option<String>,
    /// The functions, and where a run begins.
    pub program: Program,
    /// What the profile says besides counts.
    pub facts: Facts,
    /// The code itself, for what only some functions are asked.
    pub detail: Box<dyn Detail + 'a>,
    /// What only native programs have.
    pub native: Option<NativeDemand>,
    /// What is uncertain about the facts.
    pub warnings: Vec<String>,
}

/// A host service that the code names.
#[derive(Debug)]
pub(crate) struct Service {
    pub kind: IoKind,
    /// The import, as people name it.
    pub via: String,
    /// The host function whose calls are calls of it, by number; `None` where they cannot be counted.
    pub function: Option<u32>,
}

/// What is known besides control flow.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Memory the program begins with, and may have at most, in bytes.
    pub initial_bytes: u64,
    pub maximum_bytes: Option<u64>,
    /// Whether the code can ask for more.
    pub grows: bool,
    pub parallelism: Parallelism,
    pub services: Vec<Service>,
    /// Libraries and toolchains recognised.
    pub libraries: Vec<String>,
    pub isa: IsaDemand,
    pub contention: Vec<Contention>,
    pub compile: CompileDemand,
    /// Where it interprets other code, as far as code tells that a run need not come to; in words.
    pub interpreter: Option<String>,
}

impl Default for Facts {
    /// Of a program of one thread that asks for nothing.
    fn default() -> Self {
        let one = Estimate::exact(1.0, Basis::Static);
        Self {
            initial_bytes: 0,
            maximum_bytes: None,
            grows: false,
            parallelism: Parallelism { kind: ParallelismKind::Serial, max_useful_threads: Some(one) },
            services: Vec::new(),
            libraries: Vec::new(),
            isa: IsaDemand::default(),
            contention: Vec::new(),
            compile: CompileDemand::default(),
            interpreter: None,
        }
    }
}

/// The code behind a program, asked again about the few functions that matter.
pub(crate) trait Detail {
    /// Lays a function out at the end of a forest with its work told by class and its loops examined for dependence, where
    /// its calls do what `callees` tells, unless [`Self::examine`] does that; `None` where the first layout tells all there is,
    /// or has to do.
    ///
    /// The trees of both layouts are the same but for that: loops and conditions keep their order.
    ///
    /// # Errors
    /// Where the code cannot be read.
    fn lay_out(
        &mut self,
        _function: u32,
        _callees: Callees,
        _forest: &mut Forest,
    ) -> Result<Option<Function>, AnalyzeError> {
        Ok(None)
    }

    /// Whether [`Self::examine`] is to be asked.
    fn examines(&self) -> bool {
        false
    }

    /// What the iterations of a function's loops share, of those that are asked for by their place among them, and what all
    /// its loops access, where its calls do what `callees` tells; `None` where [`Self::lay_out`] does that.
    fn examine(&mut self, _function: u32, _callees: &Callees, _asked: &[bool]) -> Option<(Vec<Finding>, Accesses)> {
        None
    }

    /// What a function's own code does besides computing, what it calls left out.
    fn effects(&mut self, _function: u32) -> Effects {
        Effects::ANY
    }

    /// Lays out functions, given in order, of a [`Program::lazy`] program.
    ///
    /// # Errors
    /// Where the code cannot be read.
    fn grow(&mut self, _functions: &[u32], _program: &mut Program) -> Result<(), AnalyzeError> {
        Ok(())
    }

    /// Takes note that what was laid out of such a program is all that will be asked for, as far as can be told.
    fn settle(&mut self, _program: &mut Program) {}

    /// Names of some functions, given in order; those without a name are left out.
    fn names(&self, functions: &[u32]) -> BTreeMap<u32, String>;

    /// Offset in the file of a function's code.
    fn offset(&self, function: u32) -> Option<u64>;

    /// Functions that hand out memory, by number; empty where names do not tell.
    fn allocators(&self) -> BTreeMap<u32, Allocator> {
        BTreeMap::new()
    }

    /// Algorithms that a function betrays by its constants.
    fn algorithms(&mut self, _function: u32) -> BTreeSet<&'static str> {
        BTreeSet::new()
    }

    /// The same of all functions, and of data that no function could be seen to use.
    fn all_algorithms(&mut self) -> Algorithms {
        Algorithms::default()
    }
}

/// A function that hands out memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allocator {
    pub name: String,
    /// Arguments whose product is the number of bytes asked for, by position.
    pub size: &'static [usize],
}

/// Functions of C, C++, Rust and Go that hand out memory, and the arguments that tell how much.
pub(crate) fn allocator(name: &str) -> Option<Allocator> {
    let size: &[usize] = match name {
        "malloc"
        | "dlmalloc"
        | "emmalloc"
        | "valloc"
        | "_Znwm"
        | "_Znwj"
        | "_Znam"
        | "_Znaj"
        | "operator new(unsigned long)"
        | "operator new[](unsigned long)"
        | "__rust_alloc"
        | "__rust_alloc_zeroed"
        | "__rdl_alloc"
        | "runtime.mallocgc"
        | "runtime.alloc" => &[0],
        "calloc" | "dlcalloc" => &[0, 1],
        "realloc" | "dlrealloc" | "aligned_alloc" | "memalign" | "dlmemalign" => &[1],
        "posix_memalign" => &[2],
        "__rust_realloc" | "__rdl_realloc" => &[3],
        // Rust's names end in a hash (`__rustc::__rust_alloc`, `_RNvCs…___rustc12___rust_alloc`).
        _ if name.ends_with("___rust_alloc") || name.ends_with("::__rust_alloc") => &[0],
        _ if name.ends_with("___rust_alloc_zeroed") || name.ends_with("::__rust_alloc_zeroed") => &[0],
        _ if name.ends_with("___rust_realloc") || name.ends_with("::__rust_realloc") => &[3],
        _ => return None,
    };
    Some(Allocator { name: name.to_owned(), size })
}

/// Algorithms found in a program.
#[derive(Debug, Clone, Default)]
pub(crate) struct Algorithms {
    pub all: BTreeSet<&'static str>,
    /// Functions that work with some.
    pub by_function: BTreeMap<u32, BTreeSet<&'static str>>,
}
