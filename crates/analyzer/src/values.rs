//! Values of the operand stack and locals as far as they can be told: constants, and affine forms of one symbol.
//!
//! A symbol is a parameter, a loop's variable, something opaque, or an operation on other values. Wrap-around of
//! non-constant values is not modelled: compilers emit loops that do not rely on it. Called by the loop walk and the
//! trip count analysis.

/// `scale * symbol + offset`; a constant has no symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Val {
    pub symbol: u32,
    pub scale: i32,
    pub offset: i64,
}

/// The symbol number of constants.
const NONE: u32 = 0;
/// The symbol of whatever is not followed: floats, vectors, operands out of sight.
const JUNK: u32 = 1;

impl Val {
    /// A value nothing is known of, not even that it equals itself.
    pub(crate) const JUNK: Self = Self { symbol: JUNK, scale: 1, offset: 0 };

    #[inline]
    pub(crate) fn constant(value: i64) -> Self {
        Self { symbol: NONE, scale: 0, offset: value }
    }

    #[inline]
    fn of(symbol: u32) -> Self {
        Self { symbol, scale: 1, offset: 0 }
    }

    #[inline]
    pub(crate) fn as_constant(self) -> Option<i64> {
        (self.symbol == NONE).then_some(self.offset)
    }

    #[inline]
    pub(crate) fn is_junk(self) -> bool {
        self.symbol == JUNK
    }

    /// Its symbol, if it is that and nothing else.
    #[inline]
    pub(crate) fn as_symbol(self) -> Option<u32> {
        (self.symbol > JUNK && self.scale == 1 && self.offset == 0).then_some(self.symbol)
    }
}

/// Numbers of operations that WebAssembly has not, in the place of an opcode: the smaller and the larger of two.
pub(crate) const MIN: u16 = 0x600;
pub(crate) const MAX: u16 = 0x601;

/// Where an opaque value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// Linear memory, a mutable global, a table.
    Memory,
    /// The result of a call.
    Call,
    /// By how much data moves a variable.
    Step,
    /// How often data moves a variable at all.
    Rest,
    /// Anything else.
    Other,
}

/// What a symbol stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Def {
    Opaque(Source),
    Param(u32),
    /// What constant data holds at an address, unless something changes it.
    Word {
        address: u32,
        value: i64,
    },
    /// The value of a local at the head of a loop, which changes from iteration to iteration.
    Phi {
        of: u32,
        init: Val,
    },
    /// A loop variable after its loop, where the trip count is constant.
    Closed(Val),
    /// An integer operation, by its opcode.
    Operation {
        code: u16,
        a: Val,
        b: Val,
    },
    /// One of two values, depending on the path taken.
    Either(Val, Val),
    /// The first of two values where a condition of the forest is true, else the second.
    Choose {
        cond: u32,
        a: Val,
        b: Val,
    },
}

/// What is left of a number (Warren, "Hacker's Delight", 2nd edition, section 2-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LowestBit {
    /// `x & (x - 1)`
    Cleared,
    /// `x & -x`
    Alone,
}

/// The symbols of one function.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    /// What each symbol stands for, and whether that is a function of parameters and loop variables alone.
    defs: Vec<(Def, bool)>,
    /// Loop variables that were replaced by their last values, in order, with what is not in their place.
    closed: Vec<(u32, Def)>,
    /// How many of them are closed; the others were opened again.
    standing: u32,
}

/// Terms a linear form may have; beyond that it is opaque.
const MAX_TERMS: usize = 6;

/// How deep definitions are followed.
const MAX_FOLLOW: u32 = 6;

/// `sum(coefficient * symbol) + constant`, each symbol once.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Linear {
    terms: [(u32, i64); MAX_TERMS],
    count: usize,
    pub constant: i64,
    overflow: bool,
    /// The sum of the coefficients, each times a hash of its symbol: forms of unlike sums have unlike terms.
    print: u64,
}

/// A hash of a symbol, no sum of others' (the first step of splitmix64).
#[inline]
fn print(symbol: u32) -> u64 {
    let z = u64::from(symbol).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// How far one linear form lies from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Apart {
    /// By a number.
    By(i64),
    /// By something that depends on symbols.
    Unlike,
    /// By more than is kept.
    Unknown,
}

impl PartialEq for Linear {
    fn eq(&self, other: &Self) -> bool {
        (self.print, self.constant, self.overflow) == (other.print, other.constant, other.overflow)
            && self.terms() == other.terms()
    }
}

impl Eq for Linear {}

impl Linear {
    pub(crate) fn terms(&self) -> &[(u32, i64)] {
        &self.terms[..self.count]
    }

    /// A number that forms of the same terms share, in whatever order these stand, and hardly any others.
    pub(crate) fn print(&self) -> u64 {
        self.print
    }

    /// The form that is one number.
    pub(crate) fn number(constant: i64) -> Self {
        Self { constant, ..Self::default() }
    }

    /// The form with another constant part.
    pub(crate) fn with_constant(self, constant: i64) -> Self {
        Self { constant, ..self }
    }

    /// Adds `factor` times `symbol`; forms with too many terms become unusable.
    pub(crate) fn add(&mut self, symbol: u32, factor: i64) {
        if symbol == JUNK {
            self.overflow = true;
            return;
        }
        if let Some(at) = self.terms[..self.count].iter().position(|term| term.0 == symbol) {
            self.print = self.print.wrapping_add(print(symbol).wrapping_mul(factor as u64));
            self.terms[at].1 = self.terms[at].1.wrapping_add(factor);
            if self.terms[at].1 == 0 {
                self.count -= 1;
                self.terms[at] = self.terms[self.count];
            }
        } else if self.count < MAX_TERMS {
            self.print = self.print.wrapping_add(print(symbol).wrapping_mul(factor as u64));
            self.terms[self.count] = (symbol, factor);
            self.count += 1;
        } else {
            self.overflow = true;
        }
    }

    pub(crate) fn add_linear(&mut self, other: &Self, factor: i64) {
        for &(symbol, coefficient) in other.terms() {
            self.add(symbol, coefficient.wrapping_mul(factor));
        }
        self.constant = self.constant.wrapping_add(other.constant.wrapping_mul(factor));
        self.overflow |= other.overflow;
    }

    /// How far the form lies from another.
    pub(crate) fn apart(&self, other: &Self) -> Apart {
        if self.count + other.count > MAX_TERMS || self.overflow || other.overflow {
            let mut apart = *self;
            apart.add_linear(other, -1);
            return match apart.usable() {
                Some(apart) if apart.count == 0 => Apart::By(apart.constant),
                Some(_) => Apart::Unlike,
                None => Apart::Unknown,
            };
        }
        // Few enough to be looked through in place; nearly all are told here.
        let alike = self.print == other.print
            && self.count == other.count
            && self.terms().iter().all(|term| other.terms().contains(term));
        if alike { Apart::By(self.constant.wrapping_sub(other.constant)) } else { Apart::Unlike }
    }

    /// The form, unless it grew beyond what is kept or holds something unknown.
    pub(crate) fn usable(self) -> Option<Self> {
        (!self.overflow).then_some(self)
    }
}

impl Values {
    /// Begins a function, with room for so many symbols, so that they need not be moved as they become more.
    pub(crate) fn begin(&mut self, symbols: usize) {
        self.clear();
        self.defs.reserve(symbols);
    }

    pub(crate) fn clear(&mut self) {
        self.defs.clear();
        self.closed.clear();
        self.standing = 0;
        // The numbers of constants and of junk are taken.
        for _ in 0..2 {
            self.push(Def::Opaque(Source::Other), false);
        }
    }

    #[inline]
    fn push(&mut self, def: Def, pure: bool) -> u32 {
        self.defs.push((def, pure));
        (self.defs.len() - 1) as u32
    }

    /// The number the next symbol will have; symbols are numbered in order of creation.
    pub(crate) fn next_symbol(&self) -> u32 {
        self.defs.len() as u32
    }

    pub(crate) fn def(&self, symbol: u32) -> Def {
        self.defs.get(symbol as usize).map_or(Def::Opaque(Source::Other), |symbol| symbol.0)
    }

    #[inline]
    pub(crate) fn opaque(&mut self, source: Source) -> Val {
        Val::of(self.push(Def::Opaque(source), false))
    }

    pub(crate) fn param(&mut self, index: u32) -> Val {
        Val::of(self.push(Def::Param(index), true))
    }

    /// The word that constant data holds at an address.
    pub(crate) fn word(&mut self, address: u32, value: i64) -> Val {
        Val::of(self.push(Def::Word { address, value }, true))
    }

    /// Whether a symbol is that of constants.
    pub(crate) fn is_number(&self, symbol: u32) -> bool {
        symbol == NONE
    }

    pub(crate) fn phi(&mut self, of: u32, init: Val) -> Val {
        let pure = self.is_pure(init);
        Val::of(self.push(Def::Phi { of, init }, pure))
    }

    #[inline]
    pub(crate) fn either(&mut self, a: Val, b: Val) -> Val {
        if a.is_junk() || b.is_junk() {
            return Val::JUNK;
        }
        Val::of(self.push(Def::Either(a, b), false))
    }

    /// One of two values by a condition of the forest, which may itself be `pure`: a function of parameters and loop
    /// variables alone.
    pub(crate) fn choose(&mut self, cond: u32, pure: bool, a: Val, b: Val) -> Val {
        if a == b && !a.is_junk() {
            return a;
        }
        if a.is_junk() || b.is_junk() {
            return Val::JUNK;
        }
        let pure = pure && self.is_pure(a) && self.is_pure(b);
        Val::of(self.push(Def::Choose { cond, a, b }, pure))
    }

    /// The value of a `select` where it chooses the smaller or larger of two.
    pub(crate) fn extreme(&mut self, truth: Val, a: Val, b: Val) -> Option<Val> {
        let found = truth.as_symbol().and_then(|symbol| match self.def(symbol) {
            Def::Operation { code, a: x, b: y } if (0x48..=0x4f).contains(&code) || (0x53..=0x5a).contains(&code) => {
                let base = if code <= 0x4f { 0x48 } else { 0x53 };
                // Less, less, greater, greater, and the same with equality.
                let less = matches!(code - base, 0 | 1 | 4 | 5);
                let same = |a: Val, b: Val| !a.is_junk() && (a == b || self.linear(a) == self.linear(b));
                match (same(a, x) && same(b, y), same(a, y) && same(b, x)) {
                    (true, _) => Some(if less { MIN } else { MAX }),
                    (_, true) => Some(if less { MAX } else { MIN }),
                    _ => None,
                }
            }
            _ => None,
        });
        let code = found.filter(|_| !a.is_junk() && !b.is_junk())?;
        let pure = self.is_pure(a) && self.is_pure(b);
        Some(Val::of(self.push(Def::Operation { code, a, b }, pure)))
    }

    /// Replaces a loop variable by its last value, once its loop is over.
    pub(crate) fn close(&mut self, phi: u32, last: Val) {
        let open = std::mem::replace(&mut self.defs[phi as usize].0, Def::Closed(last));
        self.closed.push((phi, open));
        self.standing += 1;
    }

    /// How many loop variables have been replaced by their last values.
    pub(crate) fn closed(&self) -> u32 {
        self.standing
    }

    /// Takes all replacements back, to be made again in their order.
    pub(crate) fn reopen(&mut self) {
        for (phi, other) in self.closed.iter_mut().rev() {
            std::mem::swap(&mut self.defs[*phi as usize].0, other);
        }
        self.standing = 0;
    }

    /// Makes replacements again, the first so many.
    pub(crate) fn close_until(&mut self, count: u32) {
        for (phi, other) in &mut self.closed[self.standing as usize..count as usize] {
            std::mem::swap(&mut self.defs[*phi as usize].0, other);
        }
        self.standing = count;
    }

    /// Whether the value is a function of constants, parameters and loop variables that start from such.
    #[inline]
    pub(crate) fn is_pure(&self, value: Val) -> bool {
        value.symbol == NONE || (value.symbol != JUNK && self.defs[value.symbol as usize].1)
    }

    /// The result of a two-operand integer operator.
    #[inline]
    pub(crate) fn binary(&mut self, code: u16, a: Val, b: Val) -> Val {
        if let (Some(x), Some(y)) = (a.as_constant(), b.as_constant()) {
            return fold(code, x, y).map_or(Val::JUNK, Val::constant);
        }
        if a.is_junk() || b.is_junk() {
            return Val::JUNK;
        }
        affine(code, a, b).unwrap_or_else(|| {
            let pure = self.is_pure(a) && self.is_pure(b);
            Val::of(self.push(Def::Operation { code, a, b }, pure))
        })
    }

    /// The result of an operator whose value is not computed, only remembered.
    pub(crate) fn remember(&mut self, code: u16, a: Val, b: Val) -> Val {
        Val::of(self.push(Def::Operation { code, a, b }, false))
    }

    /// The result of a one-operand integer operator.
    pub(crate) fn unary(&mut self, code: u16, a: Val) -> Val {
        if let Some(value) = a.as_constant() {
            return fold(code, value, 0).map_or(Val::JUNK, Val::constant);
        }
        match code {
            // Widening and narrowing of what is not constant: taken to lose nothing.
            0xa7 | 0xac | 0xad => a,
            0x45 | 0x50 => self.is_zero(code, a),
            _ if a.is_junk() => Val::JUNK,
            _ => self.opaque(Source::Other),
        }
    }

    /// Whether a symbol is a value without its lowest bit that is set, or that bit alone: of which symbol.
    pub(crate) fn lowest_bit(&self, symbol: u32) -> Option<(u32, LowestBit)> {
        let Def::Operation { code: 0x71 | 0x83, a, b } = self.def(symbol) else { return None };
        let (of, with) = if a.scale == 1 && a.offset == 0 { (a, b) } else { (b, a) };
        let what = match (with.scale, with.offset) {
            (1, -1) => LowestBit::Cleared,
            (-1, 0) => LowestBit::Alone,
            _ => return None,
        };
        (of.as_symbol().is_some() && of.symbol == with.symbol).then_some((of.symbol, what))
    }

    /// Whether a symbol is taken apart where a value is told as a linear form.
    pub(crate) fn is_sum(&self, symbol: u32) -> bool {
        matches!(self.def(symbol), Def::Operation { code: 0x6a | 0x6b | 0x7c | 0x7d, .. } | Def::Closed(_))
    }

    /// Whether a value is zero. One shifted right is where it was less than a power of two: LLVM tests so for a bound that
    /// is one.
    fn is_zero(&mut self, code: u16, a: Val) -> Val {
        let (shifts, shift, less) = if code == 0x45 { (0x76, 0x74, 0x49) } else { (0x88, 0x86, 0x54) };
        match a.as_symbol().map(|symbol| self.def(symbol)) {
            Some(Def::Operation { code: found, a: of, b: by }) if found == shifts => {
                let bound = self.binary(shift, Val::constant(1), by);
                self.binary(less, of, bound)
            }
            _ => self.binary(code, a, Val::constant(0)),
        }
    }

    /// The value as a linear form of symbols that are not themselves sums.
    pub(crate) fn linear(&self, value: Val) -> Linear {
        let mut out = Linear::default();
        self.add_to(&mut out, value, 1, 0);
        out
    }

    fn add_to(&self, out: &mut Linear, value: Val, factor: i64, depth: u32) {
        out.constant = out.constant.wrapping_add(value.offset.wrapping_mul(factor));
        if value.symbol == NONE {
            return;
        }
        let factor = factor.wrapping_mul(i64::from(value.scale));
        if depth < MAX_FOLLOW {
            match self.def(value.symbol) {
                Def::Operation { code: 0x6a | 0x7c, a, b } => {
                    self.add_to(out, a, factor, depth + 1);
                    return self.add_to(out, b, factor, depth + 1);
                }
                Def::Operation { code: 0x6b | 0x7d, a, b } => {
                    self.add_to(out, a, factor, depth + 1);
                    return self.add_to(out, b, factor.wrapping_neg(), depth + 1);
                }
                Def::Closed(last) => return self.add_to(out, last, factor, depth + 1),
                _ => {}
            }
        }
        out.add(value.symbol, factor);
    }

    /// Whether the symbol has one value while the loop runs whose first symbol is `first`.
    pub(crate) fn invariant(&self, symbol: u32, first: u32) -> bool {
        self.invariant_to(symbol, first, 0)
    }

    fn invariant_to(&self, symbol: u32, first: u32, depth: u32) -> bool {
        if symbol < first {
            return true;
        }
        let operand = |value: Val| value.symbol == NONE || self.invariant_to(value.symbol, first, depth + 1);
        match self.def(symbol) {
            Def::Operation { a, b, .. } if depth < MAX_FOLLOW => operand(a) && operand(b),
            Def::Closed(last) if depth < MAX_FOLLOW => operand(last),
            _ => false,
        }
    }
}

/// The affine result of an operator, where it has one.
fn affine(code: u16, a: Val, b: Val) -> Option<Val> {
    let narrow = code < 0x79;
    let wrap = |value: i64| if narrow { i64::from(value as i32) } else { value };
    let scaled = |v: Val, factor: i64| {
        let scale = i32::try_from(i64::from(v.scale).checked_mul(factor)?).ok().filter(|&scale| scale != 0)?;
        Some(Val { scale, offset: wrap(v.offset.wrapping_mul(factor)), ..v })
    };
    let sum = |a: Val, b: Val| {
        if b.symbol == NONE {
            return Some(Val { offset: wrap(a.offset.wrapping_add(b.offset)), ..a });
        }
        if a.symbol == NONE {
            return Some(Val { offset: wrap(b.offset.wrapping_add(a.offset)), ..b });
        }
        if a.symbol != b.symbol {
            return None;
        }
        let scale = a.scale.checked_add(b.scale)?;
        let offset = wrap(a.offset.wrapping_add(b.offset));
        Some(if scale == 0 { Val::constant(offset) } else { Val { symbol: a.symbol, scale, offset } })
    };
    match code {
        0x6a | 0x7c => sum(a, b),
        0x6b | 0x7d => match b.as_constant() {
            Some(value) => sum(a, Val::constant(value.wrapping_neg())),
            None => sum(a, scaled(b, -1)?),
        },
        0x6c | 0x7e => match (a.as_constant(), b.as_constant()) {
            (None, Some(factor)) => scaled(a, factor),
            (Some(factor), None) => scaled(b, factor),
            _ => None,
        },
        0x74 | 0x86 => scaled(a, 1_i64.checked_shl(u32::try_from(b.as_constant()?).ok()?)?),
        _ => None,
    }
}

/// The result of an integer operator on constants, as the core specification defines it; `None` for traps and for
/// operators that are not of integers. 32-bit values are held sign-extended.
pub(crate) fn fold(code: u16, a: i64, b: i64) -> Option<i64> {
    match code {
        0x45..=0x4f | 0x67..=0x78 => fold32(code, a as i32, b as i32).map(i64::from),
        0x50..=0x5a | 0x79..=0x8a => fold64(code, a, b),
        MIN => Some(a.min(b)),
        MAX => Some(a.max(b)),
        0xa7 => Some(i64::from(a as i32)),
        0xac | 0xc4 => Some(i64::from(a as i32)),
        0xad => Some(i64::from(a as u32)),
        0xc0 => Some(i64::from(a as i8)),
        0xc1 => Some(i64::from(a as i16)),
        0xc2 => Some(i64::from(a as i8)),
        0xc3 => Some(i64::from(a as i16)),
        _ => None,
    }
}

macro_rules! fold_width {
    ($name:ident, $signed:ty, $unsigned:ty, $compare:literal, $compute:literal) => {
        fn $name(code: u16, a: $signed, b: $signed) -> Option<$signed> {
            let (x, y) = (a as $unsigned, b as $unsigned);
            let shift = (b as u32) % <$signed>::BITS;
            if code < $compute {
                let truth = match code - $compare {
                    0 => a == 0,
                    1 => a == b,
                    2 => a != b,
                    3 => a < b,
                    4 => x < y,
                    5 => a > b,
                    6 => x > y,
                    7 => a <= b,
                    8 => x <= y,
                    9 => a >= b,
                    10 => x >= y,
                    _ => return None,
                };
                return Some(<$signed>::from(truth));
            }
            Some(match code - $compute {
                0 => a.leading_zeros() as $signed,
                1 => a.trailing_zeros() as $signed,
                2 => a.count_ones() as $signed,
                3 => a.wrapping_add(b),
                4 => a.wrapping_sub(b),
                5 => a.wrapping_mul(b),
                6 => a.checked_div(b)?,
                7 => x.checked_div(y)? as $signed,
                8 => a.checked_rem(b)?,
                9 => x.checked_rem(y)? as $signed,
                10 => a & b,
                11 => a | b,
                12 => a ^ b,
                13 => a.wrapping_shl(shift),
                14 => a.wrapping_shr(shift),
                15 => x.wrapping_shr(shift) as $signed,
                16 => a.rotate_left(shift),
                17 => a.rotate_right(shift),
                _ => return None,
            })
        }
    };
}
fold_width!(fold32, i32, u32, 0x45, 0x67);
fold_width!(fold64, i64, u64, 0x50, 0x79);

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        let mut values = Values::default();
        values.clear();
        values
    }

    #[test]
    fn sums_and_differences_cancel() {
        let mut v = values();
        let (n, m) = (v.param(0), v.param(1));
        let four_n = v.binary(0x74, n, Val::constant(2));
        let sum = v.binary(0x6a, four_n, m);
        let back = v.binary(0x6b, sum, m);
        let mut difference = v.linear(back);
        difference.add_linear(&v.linear(n), -4);
        assert_eq!(difference.usable().map(|l| (l.terms().len(), l.constant)), Some((0, 0)));
    }

    #[test]
    fn constants_fold_as_the_specification_says() {
        let rows = [
            (0x6a, i64::from(i32::MAX), 1, Some(i64::from(i32::MIN))),
            (0x6d, i64::from(i32::MIN), -1, None),
            (0x6e, -1, 2, Some(i64::from(i32::MAX))),
            (0x49, -1, 1, Some(0)),
            (0x48, -1, 1, Some(1)),
            (0x76, -1, 33, Some(i64::from(i32::MAX))),
            (0x7e, 1 << 40, 1 << 40, Some(0)),
            (0xad, -1, 0, Some(0xffff_ffff)),
            (0x70, 7, 0, None),
        ];
        for (code, a, b, expected) in rows {
            assert_eq!(fold(code, a, b), expected, "{code:#x} {a} {b}");
        }
    }

    #[test]
    fn forms_are_compared_whatever_the_order_of_their_terms() {
        let form = |terms: &[(u32, i64)]| {
            let mut form = Linear::number(7);
            terms.iter().for_each(|&(symbol, factor)| form.add(symbol, factor));
            form
        };
        let one = form(&[(2, 4), (5, -8), (3, 1), (3, -1)]);
        assert_eq!(one.apart(&form(&[(5, -8), (2, 3), (2, 1)])), Apart::By(0));
        // Sums of symbols that are alike as numbers are not.
        for other in [&[(3, 4), (4, -8)][..], &[(2, 4), (5, 8)], &[(2, -8), (5, 4)], &[(2, 4)], &[]] {
            assert_eq!(one.apart(&form(other)), Apart::Unlike, "{other:?}");
        }
    }

    #[test]
    fn junk_is_never_equal_to_itself() {
        let mut v = values();
        assert!(v.binary(0x6b, Val::JUNK, Val::JUNK).is_junk());
        assert_eq!(v.linear(Val::JUNK).usable(), None);
    }
}
