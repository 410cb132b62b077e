//! Findings in words: why a dependence is not known, and under which condition there is none.

use super::pairs::Nest;
use super::reference::{Reference, Space};
use crate::values::{Apart, Def, Linear, Source, Values};

/// Conditions named; more are summed up.
const MAX_CONDITIONS: usize = 3;

/// Why a dependence is not known, or what carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// A variable carries a value.
    Variable,
    /// Memory carries a value.
    Memory,
    /// Bases of unknown distance.
    Bases,
    /// The size of a row.
    Symbol,
    /// An address that is no affine function of the loop's variables.
    Address,
    /// A pair of accesses that the tests do not decide.
    Pair,
    /// Data decides which iteration is the last.
    Ends,
    /// Calls that may do anything.
    Calls,
    /// Calls that read memory, beside stores.
    Reads,
    /// Atomic operations.
    Atomics,
    /// Bulk operations, growth.
    Bulk,
    /// Something else whose effects are not followed.
    Effects,
    /// More than is looked at.
    TooMuch,
}

impl Why {
    /// The reason in words, to follow "because" or stand alone.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Variable => "each iteration needs a variable that the one before left",
            Self::Memory => "each iteration may read or overwrite what another wrote",
            Self::Bases => "it writes and reads at addresses whose distance the code does not tell",
            Self::Symbol => "rows might overlap if they were shorter than they look",
            Self::Address => "it computes addresses from data",
            Self::Pair => "some of its addresses may or may not meet",
            Self::Ends => "data decides which iteration is the last",
            Self::Calls => "it makes calls whose effects are not followed",
            Self::Reads => "it writes memory that its calls may read",
            Self::Atomics => "it works with atomics",
            Self::Bulk => "it moves or grows memory in bulk",
            Self::Effects => "it does something whose effects are not followed",
            Self::TooMuch => "it is too large to be looked at whole",
        }
    }
}

/// The condition that goes with a reason, where one does.
pub(crate) fn of_reason(why: Why) -> Option<String> {
    let text = match why {
        Why::Address => "addresses computed from data do not meet what it writes",
        Why::Ends => "iterations beyond the last may be run and forgotten",
        Why::Calls => "its calls neither share state nor touch what it accesses",
        Why::Reads => "its calls read nothing that it writes",
        Why::Bulk => "what it moves in bulk does not meet what it accesses",
        _ => return None,
    };
    Some(format!("if {text}"))
}

/// Conditions under which the iterations of a loop are independent.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    reasons: Vec<Why>,
    at_least: Vec<(u32, i64)>,
    apart: Vec<[Place; 2]>,
    more: bool,
    /// Something stands in the way that no condition is known for.
    hopeless: bool,
}

/// A place in memory that must keep clear of another.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    base: Linear,
    slopes: Vec<super::reference::Slope>,
    width: i64,
    store: bool,
}

impl Place {
    fn of(reference: &Reference) -> Self {
        let Reference { base, slopes, width, store, .. } = reference;
        Self { base: *base, slopes: slopes.clone(), width: *width, store: *store }
    }
}

impl Conditions {
    pub(super) fn reason(&mut self, why: Why) {
        self.hopeless |= of_reason(why).is_none();
        if !self.reasons.contains(&why) {
            self.reasons.push(why);
        }
    }

    /// Whether a reason was given.
    pub(super) fn holds(&self, why: Why) -> bool {
        self.reasons.contains(&why)
    }

    pub(super) fn at_least(&mut self, symbol: u32, least: i64) {
        match self.at_least.iter_mut().find(|known| known.0 == symbol) {
            Some(known) => known.1 = known.1.max(least),
            None => self.at_least.push((symbol, least)),
        }
    }

    pub(super) fn apart(&mut self, first: &Reference, second: &Reference) {
        // Further pairs change nothing once there are more than are named.
        if first.space != Space::Memory || self.more {
            return;
        }
        let pair = if first.store { [first, second] } else { [second, first] };
        let like = |a: &Place, b: &Reference| a.base.apart(&b.base) == Apart::By(0);
        let same = |known: &[Place; 2]| {
            (like(&known[0], pair[0]) && like(&known[1], pair[1]))
                || (like(&known[0], pair[1]) && like(&known[1], pair[0]))
        };
        if self.apart.iter().any(same) {
            return;
        }
        if self.apart.len() < MAX_CONDITIONS { self.apart.push(pair.map(Place::of)) } else { self.more = true }
    }

    /// All of them as one sentence part, `if …`; `None` where no condition makes the iterations independent.
    pub(super) fn text(&self, values: &Values, nest: &Nest<'_>) -> Option<String> {
        if self.hopeless {
            return None;
        }
        let mut parts: Vec<String> = Vec::new();
        for &(symbol, least) in &self.at_least {
            parts.push(format!("{} >= {least}", name(values, symbol)?));
        }
        for pair in &self.apart {
            let [first, second] = [span(values, nest, &pair[0]), span(values, nest, &pair[1])];
            parts.push(format!("{first} and {second} do not overlap"));
        }
        if self.more {
            parts.push("neither do the others it accesses".to_owned());
        }
        parts.extend(self.reasons.iter().filter_map(|&why| of_reason(why)).map(|text| text[3..].to_owned()));
        (!parts.is_empty()).then(|| format!("if {}", parts.join(", and ")))
    }
}

/// The addresses that a place passes through while the nest runs: `[p0, p0 + 400)`.
fn span(values: &Values, nest: &Nest<'_>, place: &Place) -> String {
    let (mut before, mut after) = (0_i64, place.width);
    let mut known = true;
    for slope in place.slopes.iter() {
        let moved = nest.ranges.get(slope.of as usize).and_then(|range| range.trips).filter(|_| slope.symbol.is_none());
        match moved.map(|trips| slope.bytes.saturating_mul(trips - 1)) {
            Some(moved) if moved < 0 => before = before.saturating_add(moved),
            Some(moved) => after = after.saturating_add(moved),
            None => known = false,
        }
    }
    let Some(terms) = terms(values, &place.base) else {
        let what = if place.store { "written" } else { "read" };
        return format!("what is {what} at an address that the loop is given");
    };
    let shifted = |by: i64| sum(&terms, place.base.constant.wrapping_add(by));
    if known {
        return format!("[{}, {})", shifted(before), shifted(after));
    }
    let base = shifted(0);
    if let Some(length) = symbolic_length(values, nest, place) {
        return format!("[{base}, {base} + {length})");
    }
    let what = if place.store { "written" } else { "read" };
    format!("what is {what} from {base} on")
}

/// Bytes passed in one loop with a trip count of one parameter: `4*p2`.
fn symbolic_length(values: &Values, nest: &Nest<'_>, place: &Place) -> Option<String> {
    let mut slopes = place.slopes.iter();
    let (Some(slope), None) = (slopes.next(), slopes.next()) else { return None };
    let formula = nest.ranges.get(slope.of as usize)?.formula?;
    let &[(symbol, coefficient)] = formula.terms.terms() else { return None };
    let whole = formula.per.is_none() && slope.symbol.is_none() && slope.bytes == place.width;
    // `trips = (terms + constant) / step + 1`, here without a remainder.
    (whole && formula.step == 1 && formula.terms.constant == -1).then_some(())?;
    Some(format!("{}*{}", slope.bytes.checked_mul(coefficient)?, name(values, symbol)?))
}

/// The terms of a linear form in words; `None` where it holds a value without a name.
fn terms(values: &Values, form: &Linear) -> Option<String> {
    let mut text = String::new();
    let mut terms: Vec<_> = form.terms().to_vec();
    terms.sort_unstable();
    for (symbol, coefficient) in terms {
        if !text.is_empty() {
            text.push_str(" + ");
        }
        if coefficient != 1 {
            text.push_str(&format!("{coefficient}*"));
        }
        text.push_str(&name(values, symbol)?);
    }
    Some(text)
}

/// Such terms and a constant.
fn sum(terms: &str, constant: i64) -> String {
    match constant {
        constant if terms.is_empty() => constant.to_string(),
        0 => terms.to_owned(),
        constant if constant < 0 => format!("{terms} - {}", constant.unsigned_abs()),
        constant => format!("{terms} + {constant}"),
    }
}

/// The name of a symbol: a parameter, or where it came from if that says enough.
fn name(values: &Values, symbol: u32) -> Option<String> {
    match values.def(symbol) {
        Def::Param(index) => Some(format!("p{index}")),
        Def::Opaque(Source::Memory) => Some(format!("loaded{symbol}")),
        Def::Opaque(Source::Call) => Some(format!("result{symbol}")),
        _ => None,
    }
}
