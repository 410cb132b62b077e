//! Which instruction-set features a file cannot run without, and which it only may use.
//!
//! A feature is required where a note of the linker says so, or where code needs it that runs without asking the
//! processor first: reached from an entry, an initialiser or an exported function by calls that no test of the
//! processor guards. What is reached only through resolvers of indirect functions, through tables of addresses, behind
//! a guard, or under a name that tells of a variant, may be used; so may what is in doubt. Where nothing in the file
//! asks the processor, it was compiled for what it uses.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use forewarm_types::demand::IsaDemand;

use super::bearing::Bearing;
use super::certain::Certain;
use super::code::Code;
use super::features::{self, LEVELS};
use super::image::SymbolKind;
use super::scan::Scans;
use super::taint::{Clean, Known, Taint};
use crate::hash::QuickMap;

/// Rounds in which values that the processor gave are followed from data to data: into a structure, and out of it into
/// variables of its own, as Go's runtime does.
const ROUNDS: usize = 3;

/// Bytes after an address that belong to the same variable where no symbol tells its size.
pub(super) const VARIABLE_BYTES: u64 = 64;

/// Functions that may touch a variable that holds an answer of the processor, in a program of any size: they are routines
/// made for some processors, of which there are no more where the rest is large. A choice: OpenSSL's account of the processor
/// is touched by some 50 functions, the level of a Rust program's log by 150, Go's switch for write barriers by one in four.
const MOST_TOUCHING: usize = 128;

/// Instructions looked into again at most, in all rounds, as a multiple of all there are: code that touches such values is
/// little, and where it is not, what is left is in doubt.
const MOST_LOOKED_INTO: u64 = 1;

/// Imports that tell what the processor can do: libgcc and compiler-rt, glibc, OpenSSL, FFmpeg.
const TELLERS: [&str; 11] = [
    "_rtld_global_ro",
    "__cpu_model",
    "__cpu_features2",
    "__cpu_indicator_init",
    "__x86_get_cpuid_feature_leaf",
    "__x86_get_cpu_features",
    "_dl_x86_get_cpu_features",
    "_dl_x86_cpu_features",
    "OPENSSL_ia32cap_P",
    "OPENSSL_ia32cap_loc",
    "av_get_cpu_flags",
];

/// Transactions are only begun where lock elision was turned on; code that ends them is there in any case (glibc's
/// `pthread_mutex_unlock`).
const ELIDED: &str = "rtm";

/// Parts of names that tell of a variant for some processors.
const VARIANTS: [&str; 17] = [
    "avx", "sse2", "sse3", "ssse3", "sse4", "sse42", "bmi2", "aesni", "vaes", "pclmul", "shaext", "sha_ni", "shani",
    "popcnt", "haswell", "skylake", "x86_64_v",
];

/// The demand, and what is in doubt in words.
pub(crate) fn demand(code: &Code<'_>, scans: &Scans, begin: &[u32]) -> (IsaDemand, Vec<String>) {
    let noted = noted(code.image.isa_needed);
    let all = scans.iter().fold(0, |set, scan| set | scan.features);
    let roots = roots(code, begin);
    let (required, mut warnings) = if all == 0 {
        (0, Vec::new())
    } else if dispatches(code, scans) {
        (unguarded(code, scans, &roots), Vec::new())
    } else {
        everything(code, scans, &roots)
    };
    let required = required & !features::named(ELIDED) | noted;
    let may_use = all & !required;
    if may_use != 0 && dispatches(code, scans) {
        let doubt = "what it may use stands in code that is only reached after asking the processor, or is in doubt: not \
                     counted as required";
        warnings.push(doubt.to_owned());
    }
    (IsaDemand { required: features::names(required), may_use: features::names(may_use) }, warnings)
}

/// The demand where only some functions were looked at: what stands behind a test of the processor cannot be told then,
/// so that what the linker notes is required and all else may be used.
pub(crate) fn at_first_sight(code: &Code<'_>, scans: &Scans) -> (IsaDemand, Vec<String>) {
    let required = noted(code.image.isa_needed);
    let may_use = scans.iter().fold(0, |set, scan| set | scan.features) & !required;
    (IsaDemand { required: features::names(required), may_use: features::names(may_use) }, Vec::new())
}

/// What a property note demands.
fn noted(needed: u32) -> u64 {
    let level = |level: &(u32, &str, &[&str])| level.2.iter().fold(0, |set, name| set | features::named(name));
    LEVELS.iter().filter(|level| needed & level.0 != 0).map(level).fold(0, |set, level| set | level)
}

/// Whether anything in the file asks the processor what it can do.
fn dispatches(code: &Code<'_>, scans: &Scans) -> bool {
    scans.iter().any(|scan| scan.asks)
        || !code.image.resolvers.is_empty()
        || code.image.symbols.iter().any(|symbol| symbol.kind == SymbolKind::IndirectFunction)
        || code.image.imports.iter().any(|import| TELLERS.contains(import))
}

/// Where control comes in from outside.
fn roots(code: &Code<'_>, begin: &[u32]) -> Vec<u32> {
    let mut out = begin.to_vec();
    let from_outside = code.image.symbols.iter().filter(|symbol| symbol.exported && symbol.kind != SymbolKind::Other);
    let addresses = from_outside.map(|symbol| symbol.address).chain(code.image.init.iter().copied());
    out.extend(addresses.filter_map(|address| code.starting(address)).map(|range| code.number(range)));
    out.sort_unstable();
    out.dedup();
    out
}

/// The features of everything that a program which never asks can reach, but for variants by name.
fn everything(code: &Code<'_>, scans: &Scans, roots: &[u32]) -> (u64, Vec<String>) {
    let mut required = 0;
    let mut doubtful = 0;
    let mut certain = Certain::default();
    for (index, scan) in scans.iter().enumerate() {
        // Of what is required already it makes no difference where else it stands.
        if scan.features & !required == 0 {
            continue;
        }
        doubtful |= scan.features;
        let number = code.number(index as u32);
        // A variant that others can see is chosen by whoever calls it.
        let chosen = roots.binary_search(&number).is_ok() && is_variant(code.name(number));
        if !chosen {
            required |= certain.features(code, index);
        }
    }
    let left = doubtful & !required;
    let warning = || {
        format!(
            "{} found only in exported variants or in what may be data: not counted as required",
            features::names(left).join(", ")
        )
    };
    (required, (left != 0).then(warning).into_iter().collect())
}

/// The features of code that runs whatever the processor can do.
fn unguarded(code: &Code<'_>, scans: &Scans, roots: &[u32]) -> u64 {
    let first = code.first();
    let (cleaned, _) = look_into(code, scans);
    let resolvers = resolvers(code);
    let mut seen = vec![false; scans.len()];
    let mut work: Vec<u32> = roots.to_vec();
    let (mut required, mut certain) = (0, Certain::default());
    while let Some(function) = work.pop() {
        let Some(index) = function.checked_sub(first).map(|index| index as usize) else { continue };
        if index >= scans.len() || std::mem::replace(&mut seen[index], true) || is_variant(code.name(function)) {
            continue;
        }
        if let Some(clean) = cleaned.get(&function) {
            required |= clean.features;
            work.extend(&clean.calls);
            if !resolvers.contains(&function) {
                work.extend(&clean.taken);
            }
        } else {
            let scan = &scans.list[index];
            if scan.features & !required != 0 {
                required |= certain.features(code, index);
            }
            work.extend(scans.calls(scan));
            if !resolvers.contains(&function) {
                work.extend(scans.taken(scan));
            }
        }
    }
    required
}

/// Functions whose result is an implementation that they chose.
fn resolvers(code: &Code<'_>) -> BTreeSet<u32> {
    let indirect = code.image.symbols.iter().filter(|symbol| symbol.kind == SymbolKind::IndirectFunction);
    let addresses = indirect.map(|symbol| symbol.address).chain(code.image.resolvers.iter().copied());
    addresses.filter_map(|address| code.starting(address)).map(|range| code.number(range)).collect()
}

/// Looks again at the functions that touch what the processor said of itself.
///
/// A function is looked into again only where more became known of what it touches, and only where that has a
/// [`Bearing`].
fn look_into(code: &Code<'_>, scans: &Scans) -> (BTreeMap<u32, Clean>, Known) {
    let number = |index: usize| code.number(index as u32);
    let mut known = Known::default();
    let imported = |name: &&str| TELLERS.contains(name);
    known.tellers.extend((0..).zip(&code.image.imports).filter(|import| imported(import.1)).map(|import| import.0));
    let told = code.image.symbols.iter().filter(|symbol| TELLERS.contains(&symbol.name));
    let mut data: BTreeSet<u64> = told.map(|symbol| symbol.address).collect();
    let sizes = objects(code);
    known.data = ranges(&data, &sizes);
    let mut taint = Taint::default();
    let mut cleaned = BTreeMap::new();
    for (index, scan) in scans.iter().enumerate().filter(|(_, scan)| scan.asks) {
        let clean = taint.function(code, index, &known);
        data.extend(&clean.data);
        if clean.tells || clean.escapes {
            known.tellers.insert(number(index));
        }
        if clean.escapes {
            // Where it puts the answer is not seen: in what it touches, or in what those touch that ask it.
            known.handing.insert(number(index));
            data.extend(changeable(code, scans.data(scan)));
        }
        cleaned.insert(number(index), clean);
    }
    let handing = Numbers::new(&known.handing, code);
    for scan in scans.iter().filter(|scan| scans.calls(scan).iter().any(|&callee| handing.holds(callee))) {
        data.extend(changeable(code, scans.data(scan)));
    }
    let bearing = Bearing::new(code, scans);
    let mut budget = MOST_LOOKED_INTO * scans.iter().map(|scan| u64::from(scan.instructions)).sum::<u64>();
    let mut fresh = Known { data: ranges(&data, &sizes), ..known.clone() };
    for round in 1..=ROUNDS {
        let within = bearing.within(ROUNDS - round, (code, scans), &data, &sizes);
        known.data = ranges(&data, &sizes);
        known.common.extend(often_touched(scans, &fresh.data));
        fresh.common.clone_from(&known.common);
        let mut found = (BTreeSet::new(), BTreeSet::new());
        let tellers = Numbers::new(&fresh.tellers, code);
        let slots: Vec<u64> = code.image.slots.iter().filter(|slot| tellers.holds(slot.1)).map(|slot| slot.0).collect();
        for (index, scan) in scans.iter().enumerate() {
            let touches = scans.data(scan).iter().any(|address| fresh.holds(*address) || slots.contains(address))
                || scans.calls(scan).iter().any(|&callee| tellers.holds(callee));
            if !touches || !within.bears(index) {
                continue;
            }
            let Some(left) = budget.checked_sub(u64::from(scan.instructions)) else {
                cleaned.insert(number(index), Clean::default());
                continue;
            };
            budget = left;
            let clean = taint.function(code, index, &known);
            found.0.extend(clean.data.iter().copied().filter(|address| !data.contains(address)));
            if clean.tells && !known.tellers.contains(&number(index)) {
                found.1.insert(number(index));
            }
            cleaned.insert(number(index), clean);
        }
        if found.0.is_empty() && found.1.is_empty() {
            break;
        }
        fresh.data = ranges(&found.0, &sizes);
        data.extend(&found.0);
        known.tellers.extend(&found.1);
        fresh.tellers = found.1;
    }
    (cleaned, known)
}

/// A set of numbers of functions, asked for each call of a program.
struct Numbers(Vec<bool>);

impl Numbers {
    fn new(set: &BTreeSet<u32>, code: &Code<'_>) -> Self {
        let mut all = vec![false; code.first() as usize + code.functions.ranges.len()];
        for &number in set {
            if let Some(place) = all.get_mut(number as usize) {
                *place = true;
            }
        }
        Self(all)
    }

    fn holds(&self, number: u32) -> bool {
        self.0.get(number as usize).copied().unwrap_or(false)
    }
}

/// Addresses in some ranges that many functions touch: what most of a program goes by is not what the processor said of
/// itself.
fn often_touched(scans: &Scans, data: &[Range<u64>]) -> BTreeSet<u64> {
    let known = Known { data: data.to_vec(), ..Known::default() };
    let mut touching: QuickMap<u64, (usize, usize)> = QuickMap::default();
    for (index, scan) in scans.iter().enumerate() {
        for &address in scans.data(scan).iter().filter(|&&address| known.holds(address)) {
            let (count, last) = touching.entry(address).or_insert((0, usize::MAX));
            *count += usize::from(std::mem::replace(last, index) != index);
        }
    }
    touching.into_iter().filter(|(_, (count, _))| *count > MOST_TOUCHING).map(|(address, _)| address).collect()
}

/// Variables with a size: address and end, in order.
fn objects(code: &Code<'_>) -> Vec<(u64, u64)> {
    let sized = code.image.symbols.iter().filter(|symbol| symbol.kind == SymbolKind::Other && symbol.size > 0);
    let mut out: Vec<_> = sized.map(|symbol| (symbol.address, symbol.address.saturating_add(symbol.size))).collect();
    out.sort_unstable();
    out
}

/// Bytes of a table of functions up to the first of them: what frees a value, its size and alignment, in Rust.
const TABLE_HEAD_BYTES: u64 = 32;

/// Those of some addresses that are no table of functions, which the dynamic linker alone writes to; start-up code may put what
/// the processor said into memory that is made read-only then, as glibc's does.
fn changeable<'d>(code: &Code<'_>, data: &'d [u64]) -> impl Iterator<Item = &'d u64> {
    let pointers = &code.image.pointers;
    let table = |address: u64| {
        let next = pointers.get(pointers.partition_point(|pointer| pointer.0 < address));
        next.is_some_and(|pointer| pointer.0 - address < TABLE_HEAD_BYTES)
    };
    data.iter().filter(move |address| !(code.image.relocated_once(**address) && table(**address)))
}

/// The variable with a size that an address lies in.
pub(super) fn object_at(sizes: &[(u64, u64)], address: u64) -> Option<&(u64, u64)> {
    let object = sizes[..sizes.partition_point(|object| object.0 <= address)].last();
    object.filter(|object| address < object.1)
}

/// The variables that addresses lie in.
pub(super) fn ranges(data: &BTreeSet<u64>, sizes: &[(u64, u64)]) -> Vec<Range<u64>> {
    let mut out: Vec<Range<u64>> = Vec::new();
    for &address in data {
        let range = match object_at(sizes, address) {
            Some(object) => object.0..object.1,
            None => address..address.saturating_add(VARIABLE_BYTES),
        };
        match out.last_mut() {
            Some(last) if range.start <= last.end => {
                last.start = last.start.min(range.start);
                last.end = last.end.max(range.end);
            }
            _ => out.push(range),
        }
    }
    out
}

/// Whether a name tells of a variant, in capitals or small letters.
fn is_variant(name: &str) -> bool {
    let name = name.as_bytes();
    let begins = |at: usize, part: &str| {
        name[at..].get(..part.len()).is_some_and(|word| word.eq_ignore_ascii_case(part.as_bytes()))
    };
    name.windows(BEGINNING).enumerate().any(|(at, letters)| {
        let parts =
            (0..BEGINNING).fold(u32::MAX, |parts, place| parts & BEGINNINGS[place][usize::from(letters[place])]);
        parts != 0 && VARIANTS.iter().any(|part| begins(at, part))
    })
}

/// Letters by which parts of names are looked for.
const BEGINNING: usize = 3;

/// Which of the parts have a letter, large or small, at each of their first places, a bit each.
static BEGINNINGS: [[u32; 256]; BEGINNING] = beginnings();

const fn beginnings() -> [[u32; 256]; BEGINNING] {
    let mut out = [[0; 256]; BEGINNING];
    let mut part = 0;
    while part < VARIANTS.len() {
        let mut place = 0;
        while place < BEGINNING {
            let letter = VARIANTS[part].as_bytes()[place];
            out[place][letter as usize] |= 1 << part;
            out[place][letter.to_ascii_uppercase() as usize] |= 1 << part;
            place += 1;
        }
        part += 1;
    }
    out
}
