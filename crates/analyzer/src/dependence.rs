//! Whether the iterations of a loop depend on each other, for every loop of a nest: affine tests on all pairs of
//! accesses, and a look at what the loop's variables carry.
//!
//! The walk tells a [`Recorder`] what it meets; when a loop ends, the recorder resolves the addresses met inside by the
//! steps of the loop's variables ([`reference`]), tests them in pairs ([`pairs`], on the arithmetic of [`solve`]), looks
//! at the variables ([`scalars`]) and says what it found, with the condition under which an unknown dependence is none
//! ([`describe`]). `Unknown` whenever unsure: calls that do more than compute, atomics, bulk operations,
//! addresses that are not affine, bases that cannot be compared, loops whose end depends on data. Called by the loop walk
//! for functions that matter.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeSet;

use forewarm_types::demand::Dependence;

use crate::effects::Effects;
use crate::trip_count::{Formula, Variable};
use crate::values::{Apart, Val, Values};

mod describe;
mod pairs;
mod reference;
mod scalars;
mod solve;
mod tape;

use describe::Conditions;
use pairs::{Nest, Overlap, Range, Tested};
use reference::Scope;
use scalars::{Carries, Ended, Uses};

pub(crate) use describe::Why;
pub(crate) use reference::{Reference, Space};
pub(crate) use scalars::Family;
pub(crate) use tape::{Recording, Tape};

/// Accesses of a loop and those in it that are compared; a loop with more is left unknown.
const MAX_REFERENCES: usize = 256;

/// Steps of work for one function; beyond that nothing more is said of its loops.
const BUDGET: usize = 1 << 21;

/// Distances between iterations that are tried one by one for one function; beyond that a pair which these alone would
/// decide is left unknown.
const DISTANCES: usize = 1024;

/// What a loop's iterations share.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub dependence: Dependence,
    /// Under which condition an unknown dependence is none.
    pub condition: Option<String>,
    /// What is accumulated.
    pub accumulates: BTreeSet<Family>,
    /// Whether it accumulates products.
    pub products: bool,
    /// Why the dependence is not known, or what carries it.
    pub why: Option<Why>,
    /// The accesses in the loop and in those inside it, by their place among the function's.
    pub references: std::ops::Range<usize>,
    /// The loop, by its place among the function's loops.
    pub of: u32,
}

/// A function's loops as the tests need them, with what they access.
#[derive(Debug, Clone, Default)]
pub(crate) struct Accesses {
    pub references: Vec<Reference>,
    /// The loop around each loop.
    pub parents: Vec<Option<u32>>,
}

impl Accesses {
    /// A loop and the loops around it, by their place among the function's.
    pub(crate) fn around(&self, of: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(of), |&at| self.parents.get(at as usize).copied().flatten())
    }

    /// Whether a loop is another or lies inside it.
    pub(crate) fn runs_in(&self, inner: u32, outer: u32) -> bool {
        self.around(inner).any(|at| at == outer)
    }
}

/// A loop while its function is walked.
#[derive(Debug)]
struct LoopNote {
    first_symbol: u32,
    first_reference: usize,
    obstacle: Option<Why>,
    /// Whether it calls what reads memory.
    reads: bool,
}

/// What the walk of a function met in its loops.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    on: bool,
    uses: Uses,
    notes: Vec<LoopNote>,
    ranges: Vec<Range>,
    open: Vec<u32>,
    references: Vec<Reference>,
    /// What was found of the loops of the outermost nest so far.
    pending: Vec<Sum>,
    findings: Vec<Finding>,
    /// Loops to be examined, by their place among the function's; all where none is named.
    asked: Vec<bool>,
    work: usize,
    /// Distances between iterations that may still be tried.
    distances: Cell<usize>,
}

impl Recorder {
    /// Begins a function; what is met is noted only if `on`.
    pub(crate) fn begin(&mut self, on: bool) {
        self.on = on;
        self.uses.clear();
        self.notes.clear();
        self.ranges.clear();
        self.open.clear();
        self.references.clear();
        self.pending.clear();
        self.findings.clear();
        self.asked.clear();
        self.work = BUDGET;
        self.distances.set(DISTANCES);
    }

    /// Has only some of the loops examined.
    pub(crate) fn ask(&mut self, asked: &[bool]) {
        self.asked.extend_from_slice(asked);
    }

    /// Makes room for so many accesses.
    fn expect(&mut self, accesses: usize) {
        self.references.reserve(accesses);
    }

    fn asks(&self, of: u32) -> bool {
        self.asked.is_empty() || self.asked.get(of as usize).copied().unwrap_or(false)
    }

    /// Whether anything is noted here: in a loop, of a function that was asked for.
    #[inline]
    pub(crate) fn listens(&self) -> bool {
        self.on && !self.open.is_empty()
    }

    /// Notes a value that was an operand.
    #[inline]
    pub(crate) fn operand(&mut self, value: Val) {
        if self.on && !self.open.is_empty() {
            self.uses.operand(value.symbol);
        }
    }

    /// Notes values that were operands in loops, by their symbols.
    fn operands(&mut self, symbols: &[u32]) {
        symbols.iter().for_each(|&symbol| self.uses.operand(symbol));
    }

    /// Notes the condition of a choice between two values.
    pub(crate) fn select(&mut self, chosen: Val, condition: Val) {
        if self.listens() {
            self.uses.select(chosen, condition);
        }
    }

    /// Notes that a loop begins, whose symbols are numbered from `first_symbol` on.
    pub(crate) fn enter(&mut self, first_symbol: u32) {
        if self.on {
            self.ranges.push(Range { trips: None, formula: None, parent: self.open.last().copied() });
            self.open.push(self.notes.len() as u32);
            let first_reference = self.references.len();
            self.notes.push(LoopNote { first_symbol, first_reference, obstacle: None, reads: false });
        }
    }

    /// Notes a load or store of `width` bytes. `value` is what is stored, or what came of the load.
    pub(crate) fn access(
        &mut self,
        space: Space,
        store: bool,
        width: i64,
        address: (Val, i64),
        value: Val,
        v: &Values,
    ) {
        let Some(&inside) = self.open.last().filter(|_| self.on) else { return };
        let first = self.notes[self.open[0] as usize].first_reference;
        if self.references.len() - first >= 4 * MAX_REFERENCES {
            return self.obstacle(Why::TooMuch);
        }
        let mut base = v.linear(address.0);
        base.constant = base.constant.wrapping_add(address.1);
        let irregular = base.usable().is_none().then_some(inside);
        let slopes = Vec::new();
        self.references.push(Reference { space, store, width, inside, base, slopes, irregular, value });
    }

    /// Notes something whose effects are not followed, in all open loops.
    pub(crate) fn obstacle(&mut self, why: Why) {
        if self.on {
            for &of in &self.open {
                self.notes[of as usize].obstacle.get_or_insert(why);
            }
        }
    }

    /// Notes a call that does this besides giving a result.
    pub(crate) fn call(&mut self, effects: Effects) {
        if effects.is_any() {
            return self.obstacle(Why::Calls);
        }
        if !self.on || !effects.reads() {
            return;
        }
        for &of in &self.open {
            self.notes[of as usize].reads = true;
        }
    }

    /// The loop that was open innermost ends. It goes round only if not `once`; `formula` bounds its trips, and is their
    /// count where `counted`.
    pub(crate) fn leave(&mut self, values: &Values, variables: &[Variable], bounds: (Option<Formula>, bool, bool)) {
        self.leave_at((values, values.next_symbol()), variables, bounds);
    }

    /// The same where symbols from a number on were not made yet.
    fn leave_at(
        &mut self,
        (values, next_symbol): (&Values, u32),
        variables: &[Variable],
        (formula, once, counted): (Option<Formula>, bool, bool),
    ) {
        let Some(of) = self.open.pop().filter(|_| self.on) else { return };
        let LoopNote { first_symbol, first_reference, .. } = self.notes[of as usize];
        let range = &mut self.ranges[of as usize];
        range.trips = if once { Some(1) } else { formula.and_then(|formula| formula.constant()) };
        range.formula = formula;
        let scope = Scope { values, of, first_symbol, variables };
        self.references[first_reference..].iter_mut().for_each(|reference| reference.resolve(&scope));
        // What one carries that is not asked for may be part of what one around it does.
        if self.asks(of) || self.open.iter().any(|&around| self.asks(around)) {
            let mut found = self.examine(of, (values, next_symbol), variables);
            if !counted && !once {
                found.unknown(Why::Ends);
            }
            if self.asks(of) {
                self.pending.push(found);
            }
        }
        if self.open.is_empty() {
            self.settle(values);
        }
    }

    /// What the iterations of a loop share that has just ended.
    fn examine(&mut self, of: u32, (values, next_symbol): (&Values, u32), variables: &[Variable]) -> Sum {
        let LoopNote { first_symbol, first_reference, obstacle, reads } = self.notes[of as usize];
        let references = first_reference..self.references.len();
        let mut found = Sum::new(of, references.clone());
        let symbols = (next_symbol - first_symbol) as usize;
        let price = symbols * (variables.len() + 8) + references.len().min(MAX_REFERENCES).pow(2);
        if let Some(left) = self.work.checked_sub(price) {
            self.work = left;
            let asked = self.asks(of);
            self.uses.look_at(values, next_symbol);
            let mut ended = Ended { values, uses: &mut self.uses, first_symbol, next_symbol, variables };
            // Told once, where anything asks.
            let live = OnceCell::new();
            let is_live = |ended: &Ended<'_>, symbol: u32| live.get_or_init(|| ended.live())(symbol);
            let carries = ended.carries(&|symbol| is_live(&ended, symbol));
            ended.note(&carries);
            found.scalars(&carries);
            match obstacle {
                Some(why) => found.unknown(why),
                None if references.len() > MAX_REFERENCES => found.unknown(Why::TooMuch),
                None if asked => {
                    let live = |symbol: u32| is_live(&ended, symbol);
                    found.memory(
                        (&ended, &live),
                        &Nest { ranges: &self.ranges, of, distances: &self.distances },
                        &self.references,
                    );
                }
                None => {}
            }
        } else {
            self.work = 0;
            found.unknown(Why::TooMuch);
        }
        if reads && self.references[first_reference..].iter().any(|reference| reference.store) {
            found.unknown(Why::Reads);
        }
        found
    }

    /// The outermost loop has ended and all addresses are resolved: decides the pairs that moved unlike with loops
    /// outside of the one in question.
    fn settle(&mut self, values: &Values) {
        for mut found in std::mem::take(&mut self.pending) {
            let nest = Nest { ranges: &self.ranges, of: found.of, distances: &self.distances };
            let mut tested = Tested::default();
            for (first, second, group) in std::mem::take(&mut found.unlike) {
                found.pair((&nest, &mut tested), &self.references, (first, second), group, true);
            }
            self.findings.push(found.finding(values, &nest));
        }
    }

    /// What the loops of the function that was walked share between iterations, in order of their ends.
    pub(crate) fn findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// What the function that was walked accesses in its loops.
    pub(crate) fn accesses(&mut self) -> Accesses {
        let parents = self.ranges.iter().map(|range| range.parent).collect();
        Accesses { references: std::mem::take(&mut self.references), parents }
    }
}

/// A family of operators, and whether products are accumulated.
type Accumulation = (Family, bool);

/// What was found of a loop so far.
#[derive(Debug)]
struct Sum {
    of: u32,
    references: std::ops::Range<usize>,
    carried: Option<Why>,
    unknown: Option<Why>,
    accumulates: BTreeSet<Family>,
    products: bool,
    conditions: Conditions,
    /// Pairs to be decided when the outermost loop ends, with the accumulation that both are part of.
    unlike: Vec<(usize, usize, Option<Accumulation>)>,
}

impl Sum {
    fn new(of: u32, references: std::ops::Range<usize>) -> Self {
        let conditions = Conditions::default();
        Self {
            of,
            references,
            carried: None,
            unknown: None,
            accumulates: BTreeSet::new(),
            products: false,
            conditions,
            unlike: Vec::new(),
        }
    }

    fn accumulate(&mut self, family: Family, products: bool) {
        self.accumulates.insert(family);
        self.products |= products;
    }

    fn unknown(&mut self, why: Why) {
        self.unknown.get_or_insert(why);
        self.conditions.reason(why);
    }

    fn scalars(&mut self, carries: &[Carries]) {
        for carries in carries {
            match *carries {
                Carries::Nothing => {}
                Carries::Accumulation(family, products) => self.accumulate(family, products),
                Carries::Value => self.carried = Some(Why::Variable),
            }
        }
    }

    /// Tests the accesses of a loop in pairs; `live` are the symbols that may be used.
    fn memory(&mut self, (ended, live): (&Ended<'_>, &dyn Fn(u32) -> bool), nest: &Nest<'_>, all: &[Reference]) {
        let references = &all[self.references.clone()];
        if !references.iter().any(|reference| reference.store) {
            return;
        }
        let groups = accumulations(ended, live, references);
        let alone = groups.iter().all(Option::is_none);
        let start = self.references.start;
        let mut distinct = distinct(references, &groups);
        let is_store = |&at: &usize| references[at].store;
        let mut stores: Vec<usize> = distinct.iter().copied().filter(is_store).collect();
        let (mut at, mut told, mut tested) = (0, false, Tested::default());
        while let Some(&first) = distinct.get(at).filter(|_| self.carried.is_none() || !alone) {
            let later = match references[first].store {
                // Of what carries a value already only the accumulations are told.
                _ if self.carried.is_some() && groups[first].is_none() => &[],
                true => &distinct[at..],
                // Loads do not meet each other.
                false => &stores[stores.partition_point(|&store| store < first)..],
            };
            for &second in later {
                let group = groups[first].filter(|group| groups[second] == Some(*group));
                let pair = (start + first, start + second);
                self.pair((nest, &mut tested), all, pair, group.map(|group| group.1), false);
            }
            at += 1;
            // Once it was seen that data computes some addresses, others of which that is so tell no more.
            if !told && self.conditions.holds(Why::Address) {
                told = true;
                let rest = distinct.split_off(at);
                distinct.extend(rest.into_iter().filter(|&other| !nest.irregular(&references[other])));
                stores = distinct.iter().copied().filter(is_store).collect();
            }
        }
    }

    /// Tests a pair; one that cannot be compared waits for the end of the nest, unless this is the `last` time.
    fn pair(
        &mut self,
        (nest, tested): (&Nest<'_>, &mut Tested),
        all: &[Reference],
        (one, other): (usize, usize),
        group: Option<Accumulation>,
        last: bool,
    ) {
        let (first, second) = (&all[one], &all[other]);
        // Of what carries a value already only the accumulations are told.
        let settled = self.carried.is_some() && group.is_none();
        if settled || (!first.store && !second.store) || first.space != second.space {
            return;
        }
        if nest.irregular(first) || nest.irregular(second) {
            return self.unknown(Why::Address);
        }
        match nest.pair(all, (one, other), tested) {
            Overlap::Never => {}
            Overlap::Sometimes => match group {
                Some((family, products)) => self.accumulate(family, products),
                None => self.carried = self.carried.or(Some(Why::Memory)),
            },
            Overlap::NotIfAtLeast { symbol, least } => {
                self.unknown.get_or_insert(Why::Symbol);
                self.conditions.at_least(symbol, least);
            }
            Overlap::Bases if !last => self.unlike.push((one, other, group)),
            Overlap::Bases => {
                self.unknown.get_or_insert(Why::Bases);
                self.conditions.apart(first, second);
            }
            Overlap::Unknown => self.unknown(Why::Pair),
        }
    }

    fn finding(self, values: &Values, nest: &Nest<'_>) -> Finding {
        let (dependence, why) = match (self.carried, self.unknown) {
            (Some(why), _) => (Dependence::Carried, Some(why)),
            (None, Some(why)) => (Dependence::Unknown, Some(why)),
            (None, None) if self.accumulates.is_empty() => (Dependence::Independent, None),
            (None, None) => (Dependence::Reduction, None),
        };
        let condition = (dependence == Dependence::Unknown).then(|| self.conditions.text(values, nest)).flatten();
        let Self { accumulates, products, references, of, .. } = self;
        Finding { dependence, condition, accumulates, products, why, references, of }
    }
}

/// For each access the accumulation in memory that it is part of, told by the load that begins it: `a[j] += x`, whose
/// load and store have one address, and whose sum is used for nothing else.
fn accumulations(
    ended: &Ended<'_>,
    live: &dyn Fn(u32) -> bool,
    references: &[Reference],
) -> Vec<Option<(usize, Accumulation)>> {
    let mut groups = vec![None; references.len()];
    for (at, store) in references.iter().enumerate().filter(|(_, reference)| reference.store) {
        let aligned = store.slopes.iter().all(|slope| slope.bytes % store.width.max(1) == 0);
        if store.irregular.is_some() || !aligned {
            continue;
        }
        let same = |load: &&(usize, &Reference)| {
            !load.1.store && load.1.irregular.is_none() && same_place(load.1, store) && load.1.width == store.width
        };
        let loads: Vec<_> = references.iter().enumerate().take(at).filter(|load| same(&load)).collect();
        let &[(load, from)] = &loads[..] else { continue };
        let root = |value: Val| value.symbol == from.value.symbol && value.scale == 1;
        // Storing the sum is the one use beyond the chain.
        if let Some(family) = ended.accumulates(store.value, &root, live, (None, 1)) {
            (groups[at], groups[load]) = (Some((load, family)), Some((load, family)));
        }
    }
    groups
}

/// Accesses, by place in the list, of which no earlier one is the same as far as the tests see: a variable in memory is
/// accessed again and again. Those that are part of an accumulation stand for themselves.
fn distinct<G>(references: &[Reference], groups: &[Option<G>]) -> Vec<usize> {
    let mut out: Vec<usize> = Vec::with_capacity(references.len());
    for (at, reference) in references.iter().enumerate() {
        let known = |&earlier: &usize| groups[earlier].is_none() && references[earlier].same_access(reference);
        if groups[at].is_some() || !out.iter().any(known) {
            out.push(at);
        }
    }
    out
}

fn same_place(first: &Reference, second: &Reference) -> bool {
    first.base.apart(&second.base) == Apart::By(0) && first.space == second.space && first.moves_with(second)
}
