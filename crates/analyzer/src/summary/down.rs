//! The way down: how often each function that matters is called in the whole run, what each part of it does, and what its loops
//! share, told by laying it out in detail. Part of the call summary.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, btree_map};

use super::tape::Tape;
use super::{Asked, Instance, LoopShare, Summary};
use crate::dependence::Accesses;
use crate::effects;
use crate::error::AnalyzeError;
use crate::frequency::{Cost, Dealt, Visitor, evaluate};
use crate::frontend::{Allocator, Detail};
use crate::hash::QuickMap;
use crate::lanes::{Lanes, Weights};
use crate::mix::COUNTERS;
use crate::priors::UnknownLoop;
use crate::program::{Forest, Function, Trip};

/// Functions below this share of the whole are not looked into.
const NEGLIGIBLE_SHARE: f64 = 0.01;

/// Loops whose part in the run is kept, which bounds memory; the largest module of the corpus has some 20,000 that
/// matter at all.
const MAX_LOOPS: usize = 1 << 16;

/// Functions of at most this many nodes are looked into whatever they do themselves: it costs nothing.
const SMALL_FUNCTION: usize = 64;

/// The way down: how often each instance is called in the whole run.
pub(super) struct Down<'s, 'a> {
    summary: &'s mut Summary<'a>,
    detail: &'s mut dyn Detail,
    whole: f64,
    weights: Weights,
    times: QuickMap<Instance, Lanes>,
    /// Functions laid out again, and where.
    again: QuickMap<u32, Option<Function>>,
    /// What functions do besides computing, as far as it was asked.
    effects: effects::Known,
    looked_into: BTreeSet<u32>,
    forest: Forest,
    current: (u32, Lanes),
    /// The mean of that.
    current_mean: f64,
    pub(super) mix: [f64; COUNTERS],
    pub(super) entries: f64,
    pub(super) functions: BTreeMap<u32, Lanes>,
    pub(super) own: BTreeMap<u32, f64>,
    pub(super) loops: BTreeMap<(u32, u32), LoopShare>,
    pub(super) accesses: BTreeMap<u32, Accesses>,
    /// What was counted when each open loop began.
    before: Vec<[f64; COUNTERS]>,
    pub(super) host_calls: BTreeMap<u32, Lanes>,
    asked: BTreeMap<u32, Asked>,
    pub(super) dispatch: bool,
    pub(super) endless: bool,
    /// Whether calls alone are passed on, of what matters for nothing else.
    quiet: bool,
    /// Functions called in some scenario that are not laid out.
    pub(super) missed: BTreeSet<u32>,
}

impl<'s, 'a> Down<'s, 'a> {
    pub(super) fn new(
        summary: &'s mut Summary<'a>,
        detail: &'s mut dyn Detail,
        whole: Lanes,
        weights: Weights,
    ) -> Self {
        Self {
            summary,
            detail,
            whole: whole.weighted_mean(&weights),
            weights,
            times: QuickMap::default(),
            again: QuickMap::default(),
            effects: effects::Known::default(),
            looked_into: BTreeSet::new(),
            forest: Forest::default(),
            current: (u32::MAX, Lanes::ZERO),
            current_mean: 0.0,
            mix: [0.0; COUNTERS],
            entries: 0.0,
            functions: BTreeMap::new(),
            own: BTreeMap::new(),
            loops: BTreeMap::new(),
            accesses: BTreeMap::new(),
            before: Vec::new(),
            host_calls: BTreeMap::new(),
            asked: BTreeMap::new(),
            dispatch: false,
            endless: false,
            quiet: false,
            missed: BTreeSet::new(),
        }
    }

    /// Notes calls of a function, and returns what one costs; `each` are those for each call of the caller, and the things
    /// that it deals with.
    pub(super) fn enter(
        &mut self,
        function: u32,
        arguments: &[Option<i64>],
        times: Lanes,
        each: (Lanes, Dealt),
    ) -> Cost {
        if !self.begins(function, times) {
            return Cost::ZERO;
        }
        let told = self.summary.telling(function, arguments, each.1.each);
        let (instance, cost, times) = match told.and_then(|i| self.summary.special.get(&i).copied().map(|c| (i, c))) {
            Some((instance, cost)) => (instance, cost, times),
            None => {
                let general = self.summary.general(function).copied().unwrap_or(Cost::ZERO);
                let activations = self.summary.activations(function, each.0, each.1.all);
                let cost = activations.map_or(general, |activations| general.scaled(activations));
                let weight = cost.ops.zip(general.ops, |all, one| if one > 0.0 { all / one } else { 1.0 });
                (Instance::general(function), cost, times * weight)
            }
        };
        self.activate(instance, times);
        cost
    }

    /// Notes so many activations of an instance.
    fn activate(&mut self, instance: Instance, times: Lanes) {
        let entry = self.times.entry(instance).or_insert(Lanes::ZERO);
        *entry = (*entry + times).bounded();
    }

    /// Whether calls of a function lead to code that is laid out; notes those that lead elsewhere.
    fn begins(&mut self, function: u32, times: Lanes) -> bool {
        if self.summary.program.is_host(function) {
            *self.host_calls.entry(function).or_insert(Lanes::ZERO) += times;
            return false;
        }
        if self.summary.program.lazy {
            if times.is_zero() {
                return false;
            }
            if self.summary.tree(function).is_some_and(|(_, tree)| tree.uncalled) {
                self.missed.insert(function);
                return false;
            }
        }
        true
    }

    /// The allocators that the run asks, with what it asks of each.
    pub(super) fn asked(&mut self) -> Vec<(Allocator, Asked)> {
        let named = |(function, asked)| Some((self.summary.allocators.remove(&function)?, asked));
        std::mem::take(&mut self.asked).into_iter().filter_map(named).collect()
    }

    /// Notes calls of an allocator.
    fn ask(&mut self, function: u32, arguments: &[Option<i64>], times: Lanes) {
        // What one allocator asks of another has been asked already.
        let allocators = &self.summary.allocators;
        let Some(allocator) = allocators.get(&function).filter(|_| !allocators.contains_key(&self.current.0)) else {
            return;
        };
        let none = Asked { calls: Lanes::ZERO, told: Lanes::ZERO, bytes: Lanes::ZERO };
        let asked = self.asked.entry(function).or_insert(none);
        asked.calls = (asked.calls + times).bounded();
        let factor = |&at: &usize| arguments.get(at).copied().flatten().filter(|&size| size >= 0);
        let bytes = allocator.size.iter().try_fold(1.0, |all, at| Some(all * factor(at)? as f64));
        if let Some(bytes) = bytes {
            asked.told = (asked.told + times).bounded();
            asked.bytes = (asked.bytes + times * bytes).bounded();
        }
    }

    /// Goes through all instances, callers before callees.
    pub(super) fn all(&mut self) -> Result<(), AnalyzeError> {
        for index in (0..self.summary.finished.len()).rev() {
            let (instance, tape) = &mut self.summary.finished[index];
            let (instance, tape) = (instance.clone(), tape.take());
            let Some(times) = self.times.remove(&instance) else { continue };
            let Some(cost) = self.cost(&instance) else { continue };
            let ops = (cost.total() * times).bounded();
            if ops.weighted_mean(&self.weights) < NEGLIGIBLE_SHARE * self.whole {
                if self.summary.program.lazy {
                    self.pass_on(&instance, tape.as_ref(), times);
                }
                continue;
            }
            *self.functions.entry(instance.function).or_insert(Lanes::ZERO) += ops;
            let own = (cost.own * times + times).weighted_mean(&self.weights);
            *self.own.entry(instance.function).or_insert(0.0) += own;
            self.look_into(&instance, tape.as_ref(), times, own)?;
        }
        if self.detail.examines() {
            self.examine();
        }
        Ok(())
    }

    /// Passes the counts of an instance that does not matter itself on to what it calls, which may not be laid out.
    fn pass_on(&mut self, instance: &Instance, tape: Option<&Tape>, times: Lanes) {
        let Some(tree) = self.summary.tree(instance.function) else { return };
        self.begin(instance, times);
        self.quiet = true;
        self.meet(instance, tape, tree);
        self.quiet = false;
    }

    /// Goes through what is met in an instance once more: as it was written down, or along its flow.
    fn meet(&mut self, instance: &Instance, tape: Option<&Tape>, (forest, tree): (&Forest, &Function)) {
        match tape {
            Some(tape) => tape.play(forest, self),
            None => {
                evaluate(forest, tree, &instance.arguments, instance.scale as f64, self);
            }
        }
    }

    /// Begins an instance that is called so often.
    fn begin(&mut self, instance: &Instance, times: Lanes) {
        self.current = (instance.function, times);
        self.current_mean = times.weighted_mean(&self.weights);
        self.summary.component = self.summary.order.component[instance.function as usize];
        if !instance.arguments.is_empty() {
            self.summary.component = u32::MAX - 1;
        }
    }

    fn cost(&self, instance: &Instance) -> Option<Cost> {
        if instance.arguments.is_empty() {
            return self.summary.general(instance.function).copied();
        }
        self.summary.special.get(instance).copied()
    }

    /// A function laid out in detail, where its first layout was not.
    fn again(&mut self, function: u32, tree: &Function) -> Result<Option<Function>, AnalyzeError> {
        if tree.detailed || tree.formats {
            return Ok(None);
        }
        Ok(match self.again.entry(function) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(place) => {
                let callees = self.effects.callees(self.summary.program, self.detail, function);
                place.insert(self.detail.lay_out(function, callees, &mut self.forest)?).clone()
            }
        })
    }

    /// Has the loops examined that take part in the run, of functions that were looked into.
    fn examine(&mut self) {
        let least = NEGLIGIBLE_SHARE * self.whole;
        for function in std::mem::take(&mut self.looked_into) {
            let mut asked = Vec::new();
            for (&(_, index), share) in self.loops.range((function, 0)..=(function, u32::MAX)) {
                asked.resize(index as usize, false);
                asked.push(share.ops.weighted_mean(&self.weights) >= least);
            }
            if !asked.contains(&true) {
                continue;
            }
            let callees = self.effects.callees(self.summary.program, self.detail, function);
            let Some((findings, accesses)) = self.detail.examine(function, &callees, &asked) else { continue };
            for finding in findings {
                if let Some(share) = self.loops.get_mut(&(function, finding.of)) {
                    share.finding = Some(finding);
                }
            }
            self.accesses.insert(function, accesses);
        }
    }

    /// Passes the counts of one instance on to what it calls, and takes its own.
    ///
    /// A function that is small or does much itself is laid out again, with its work told by class; of others only the calls count.
    fn look_into(
        &mut self,
        instance: &Instance,
        tape: Option<&Tape>,
        times: Lanes,
        own: f64,
    ) -> Result<(), AnalyzeError> {
        let Some((general, tree)) = self.summary.tree(instance.function) else { return Ok(()) };
        let loops = &general.loops[tree.loops.start as usize..tree.loops.end as usize];
        self.endless |= loops.iter().any(|entry| entry.trip == Trip::Unknown(UnknownLoop::Endless));
        self.dispatch |= !tree.formats
            && loops
                .iter()
                .any(|entry| matches!(entry.trip, Trip::Unknown(UnknownLoop::Dispatch | UnknownLoop::Machine)));
        self.begin(instance, times);
        self.entries += self.current_mean;
        if own < NEGLIGIBLE_SHARE * self.whole && tree.nodes.len() > SMALL_FUNCTION {
            self.meet(instance, tape, (general, tree));
            return Ok(());
        }
        self.looked_into.insert(instance.function);
        let again = self.again(instance.function, tree)?;
        let detailed = std::mem::take(&mut self.forest);
        let (forest, tree) = match &again {
            // A first layout may not tell of which classes work is.
            Some(again) if tape.is_none() || !tree.classes => {
                self.meet(instance, None, (&detailed, again));
                (&detailed, again)
            }
            _ => {
                self.meet(instance, tape, (general, tree));
                again.as_ref().map_or((general, tree), |again| (&detailed, again))
            }
        };
        let loops = &forest.loops[tree.loops.start as usize..tree.loops.end as usize];
        for (index, entry) in loops.iter().enumerate() {
            let share = self.loops.get_mut(&(instance.function, index as u32));
            if let Some(share) = share.filter(|share| share.finding.is_none()) {
                share.vectors = tree.vectors;
                share.finding = entry.finding.and_then(|finding| forest.findings.get(finding as usize)).cloned();
            }
        }
        self.forest = detailed;
        let accesses = again.and_then(|tree| self.forest.accesses.get_mut(tree.accesses? as usize));
        if let Some(accesses) = accesses
            && let btree_map::Entry::Vacant(place) = self.accesses.entry(instance.function)
        {
            place.insert(std::mem::take(accesses));
        }
        Ok(())
    }
}

impl Visitor for Down<'_, '_> {
    fn sensitive(&self, function: u32) -> u64 {
        self.summary.sensitive(function) | self.summary.sizes(function)
    }

    fn text(&self, address: i64) -> Option<&[u8]> {
        self.summary.program.text(address)
    }

    fn unchanged(&self, address: u32) -> bool {
        self.summary.unchanged(address)
    }

    fn addresses(&self) -> i64 {
        self.summary.program.addresses
    }

    fn call(&mut self, function: u32, arguments: &[Option<i64>], times: Lanes, dealt: Dealt, sum: &mut Cost) {
        let all = times * self.current.1;
        if !self.quiet {
            self.ask(function, arguments, all);
        }
        let masked = self.summary.telling_arguments(function, arguments);
        let cost = self.enter(function, &masked, all, (times, dealt));
        sum.add(&cost, times);
    }

    fn call_indirect(&mut self, class: u32, times: Lanes, sum: &mut Cost) {
        self.summary.call_indirect(class, times, sum);
        let Some(group) = self.summary.program.group(class) else { return };
        let (members, each) = self.summary.reached(group, times);
        let all = times * each * self.current.1;
        let mut chosen: BTreeMap<u32, Lanes> = BTreeMap::new();
        for (lane, member) in members.into_iter().enumerate() {
            chosen.entry(member).or_insert(Lanes::ZERO).0[lane] = all.0[lane];
        }
        for (member, times) in chosen {
            if self.begins(member, times) {
                self.activate(Instance::general(member), times);
            }
        }
    }

    fn work(&mut self, (_, mix): (u32, &[(u32, u32)]), times: Lanes) {
        // Most numbers are the same in all scenarios.
        let mean = match times.exact() {
            Some(times) => times * self.current_mean,
            None => (times * self.current.1).weighted_mean(&self.weights),
        };
        for &(counter, count) in mix {
            self.mix[counter as usize] += mean * f64::from(count);
        }
    }

    fn loop_begun(&mut self) {
        self.before.push(self.mix);
    }

    fn loop_done(&mut self, index: u32, entered: Lanes, trips: Lanes, cost: Lanes) {
        let entered = (entered * self.current.1).bounded();
        let ops = (cost * self.current.1).bounded();
        let before = self.before.pop().unwrap_or(self.mix);
        if self.quiet {
            return;
        }
        if self.loops.len() >= MAX_LOOPS && !self.loops.contains_key(&(self.current.0, index)) {
            return;
        }
        let share = self.loops.entry((self.current.0, index)).or_insert(LoopShare {
            finding: None,
            vectors: false,
            trips,
            mix: [0.0; COUNTERS],
            entered: Lanes::ZERO,
            ops: Lanes::ZERO,
        });
        share.ops += ops;
        let both = share.entered + entered;
        // The mean over all entries; where a scenario has none, as it stands.
        share.trips = Lanes(std::array::from_fn(|lane| {
            let (old, new, all) = (share.trips.0[lane], trips.0[lane], both.0[lane]);
            if all > 0.0 && old != new { old + (new - old) * entered.0[lane] / all } else { old }
        }));
        share.entered = both;
        let first = share.trips.0[0];
        if share.trips.0.iter().all(|trips| (trips - first).abs() < 1e-9 * first) {
            share.trips = Lanes::splat(first);
        }
        for (sum, (after, before)) in share.mix.iter_mut().zip(self.mix.iter().zip(before)) {
            *sum += after - before;
        }
    }
}
