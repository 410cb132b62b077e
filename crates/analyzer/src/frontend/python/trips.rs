//! How often loops run: the lengths of what they iterate over, and `while` loops that count.

use ruff_python_ast::{self as ast, CmpOp, Expr, Operator, Stmt};

use super::emit::{Emitter, LoopNote, Val};
use super::scope::start;
use crate::priors::{Ending, UnknownLoop};
use crate::program::{self, Loop, Phi, Trip};
use crate::values::{Source, fold};

/// Longest expression of a trip count that is shown, in bytes of source.
const MAX_TEXT: usize = 80;

/// Numbers of the integer operations, as [`crate::values::fold`] has them.
pub(super) mod code {
    pub(crate) const GT: u16 = 0x55;
    pub(crate) const ADD: u16 = 0x7c;
    pub(crate) const SUB: u16 = 0x7d;
    pub(crate) const MUL: u16 = 0x7e;
    pub(crate) const DIV: u16 = 0x7f;
    pub(crate) const REM: u16 = 0x81;
    pub(crate) const AND: u16 = 0x83;
    pub(crate) const OR: u16 = 0x84;
    pub(crate) const XOR: u16 = 0x85;
    pub(crate) const SHL: u16 = 0x86;
    pub(crate) const SHR: u16 = 0x87;
}

/// What is known of how often a loop's body runs.
#[derive(Debug, Clone, Default)]
pub(super) struct Trips {
    /// `ceil((to - from) / step)`, where both are known.
    pub range: Option<(u32, u32, i64)>,
    /// Whether the items are the numbers of that range, so that the loop's variable is known.
    pub numbers: bool,
    /// As an expression of the source, where it is no constant.
    pub text: Option<String>,
    /// The loop's variable has started at this and is found by name in the test: `while i < n`.
    pub unknown: Option<UnknownLoop>,
}

impl<'a> Emitter<'a, '_> {
    /// The items of an iterable expression, whose evaluation is counted on the way.
    pub(super) fn iterable(&mut self, iter: &'a Expr) -> Trips {
        if let Expr::Call(call) = iter
            && let Some(trips) = self.range_call(call)
        {
            return trips;
        }
        let val = self.expr(iter);
        match val {
            Val::Items(count) => {
                let zero = self.constant(0);
                let text = self.text_of(iter, "len");
                Trips { range: Some((zero, count, 1)), text, ..Trips::default() }
            }
            _ => Trips { text: self.text_of(iter, "len"), ..Trips::default() },
        }
    }

    /// `range(…)`, and what passes its items through one by one.
    fn range_call(&mut self, call: &'a ast::ExprCall) -> Option<Trips> {
        let Expr::Name(name) = &*call.func else { return None };
        if !self.is_builtin(&name.id) || !call.arguments.keywords.is_empty() {
            return None;
        }
        let arguments = &call.arguments.args[..];
        match (name.id.as_str(), arguments) {
            ("range", [_] | [_, _] | [_, _, _]) => {
                self.work(forewarm_types::OpClass::Call, 3);
                let vals: Vec<Val> = arguments.iter().map(|argument| self.expr(argument)).collect();
                Some(self.range(&vals, arguments))
            }
            ("tqdm" | "iter" | "list" | "tuple", [Expr::Call(inner)]) => {
                let trips = self.range_call(inner)?;
                self.work(forewarm_types::OpClass::Call, 3);
                Some(trips)
            }
            ("reversed" | "enumerate", [Expr::Call(inner)]) => {
                let trips = self.range_call(inner)?;
                self.work(forewarm_types::OpClass::Call, 3);
                Some(Trips { numbers: false, ..trips })
            }
            _ => None,
        }
    }

    fn range(&mut self, vals: &[Val], arguments: &'a [Expr]) -> Trips {
        let int = |val: Option<&Val>| match val {
            Some(&Val::Int(expr)) => Some(expr),
            _ => None,
        };
        let (from, to, step) = match vals {
            [_] => (Some(self.constant(0)), int(vals.first()), Some(1)),
            [_, _] => (int(vals.first()), int(vals.get(1)), Some(1)),
            _ => (int(vals.first()), int(vals.get(1)), int(vals.get(2)).and_then(|expr| self.as_constant(expr))),
        };
        let text = self.range_text(arguments);
        // The step's size alone sets the count where the ends are unknown.
        let opaque = |emitter: &mut Self, end: Option<u32>| end.unwrap_or_else(|| emitter.opaque(Source::Call));
        match step {
            Some(step) if step != 0 && (from.is_some() || to.is_some()) => {
                let (from, to) = (opaque(self, from), opaque(self, to));
                Trips { range: Some((from, to, step)), numbers: true, text, unknown: None }
            }
            _ => Trips { text, ..Trips::default() },
        }
    }

    fn range_text(&self, arguments: &'a [Expr]) -> Option<String> {
        if arguments.iter().all(|argument| matches!(argument, Expr::NumberLiteral(_))) {
            return None;
        }
        let source = |expr: &Expr| self.source(expr).map(str::to_owned);
        match arguments {
            [to] => source(to),
            [from, to] if self.source(from) == Some("0") => source(to),
            [from, to] => Some(format!("{} - {}", self.operand(to)?, self.operand(from)?)),
            [from, to, step] => {
                let whole = if self.source(from) == Some("0") {
                    self.operand(to)?
                } else {
                    format!("({} - {})", self.operand(to)?, self.operand(from)?)
                };
                Some(format!("ceil({whole} / {})", self.operand(step)?))
            }
            _ => None,
        }
    }

    fn operand(&self, expr: &Expr) -> Option<String> {
        let text = self.source(expr)?;
        let plain = matches!(expr, Expr::Name(_) | Expr::NumberLiteral(_) | Expr::Call(_) | Expr::Attribute(_));
        Some(if plain { text.to_owned() } else { format!("({text})") })
    }

    /// The source of an expression, where it fits on a line.
    pub(super) fn source(&self, expr: &Expr) -> Option<&'a str> {
        use ruff_text_size::Ranged;
        let range = expr.range();
        let text = self.file.text.get(usize::from(range.start())..usize::from(range.end()))?;
        (text.len() <= MAX_TEXT && !text.contains('\n')).then_some(text)
    }

    fn text_of(&self, expr: &Expr, function: &str) -> Option<String> {
        match expr {
            Expr::List(_) | Expr::Tuple(_) | Expr::Set(_) | Expr::Dict(_) | Expr::StringLiteral(_) => None,
            _ => self.source(expr).map(|text| format!("{function}({text})")),
        }
    }

    /// `while i < n` with `i += 1` in its body.
    pub(super) fn while_trips(&mut self, each: &'a ast::StmtWhile) -> Trips {
        let unknown = Trips { unknown: Some(UnknownLoop::Data), ..Trips::default() };
        let Expr::Compare(compare) = &*each.test else { return unknown };
        let ([op], [right]) = (&compare.ops[..], &compare.comparators[..]) else { return unknown };
        let (variable, bound, op) = match (&*compare.left, right) {
            (Expr::Name(name), bound) if step_of(&each.body, name.id.as_str()).is_some() => (name, bound, *op),
            (bound, Expr::Name(name)) if step_of(&each.body, name.id.as_str()).is_some() => {
                (name, bound, mirrored(*op))
            }
            _ => return unknown,
        };
        let name = variable.id.as_str();
        let Some((step, sites)) = step_of(&each.body, name) else { return unknown };
        if sites != 1 || self.changes_in(bound, each) {
            return unknown;
        }
        let counted = Trips { unknown: Some(UnknownLoop::Counted), ..Trips::default() };
        let from = match self.look_up(name, start(each)) {
            Val::Int(from) => from,
            _ => self.opaque(Source::Other),
        };
        let Val::Int(to) = self.peek(bound) else { return counted };
        let (to, step) = match (op, step > 0) {
            (CmpOp::Lt, true) | (CmpOp::Gt, false) | (CmpOp::NotEq, _) => (to, step),
            (CmpOp::LtE, true) => (self.binary(code::ADD, to, 1), step),
            (CmpOp::GtE, false) => (self.binary(code::SUB, to, 1), step),
            _ => return unknown,
        };
        let text = self.source(bound).map(|bound| match step {
            1 | -1 => format!("{bound} - {name}"),
            _ => format!("ceil(({bound} - {name}) / {step})"),
        });
        Trips { range: Some((from, to, step)), numbers: false, text, unknown: None }
    }

    /// The value of a simple expression, whose evaluation is counted elsewhere.
    pub(super) fn peek(&mut self, expr: &Expr) -> Val {
        match expr {
            Expr::NumberLiteral(_) => number(expr).map_or(Val::Unknown, |value| Val::Int(self.constant(value))),
            Expr::Name(name) => self.look_up(&name.id, start(name)),
            Expr::BinOp(operation) => {
                let (left, right) = (self.peek(&operation.left), self.peek(&operation.right));
                self.arithmetic(operation.op, left, right)
            }
            Expr::Call(call) => match (&*call.func, &call.arguments.args[..]) {
                (Expr::Name(name), [argument]) if name.id.as_str() == "len" => match self.peek(argument) {
                    Val::Items(count) => Val::Int(count),
                    _ => Val::Int(self.opaque(Source::Call)),
                },
                _ => Val::Unknown,
            },
            _ => Val::Unknown,
        }
    }

    /// Whether a bound may change while a loop runs: it holds names that the loop binds, or calls.
    fn changes_in(&self, bound: &Expr, each: &ast::StmtWhile) -> bool {
        let (from, to) = (u32::from(each.range.start()), u32::from(each.range.end()));
        match bound {
            Expr::NumberLiteral(_) => false,
            Expr::Name(name) => self.scope.bound_within(&name.id, from, to),
            Expr::BinOp(operation) => self.changes_in(&operation.left, each) || self.changes_in(&operation.right, each),
            Expr::Call(call) => match (&*call.func, &call.arguments.args[..]) {
                (Expr::Name(name), [argument]) if name.id.as_str() == "len" => self.changes_in(argument, each),
                _ => true,
            },
            _ => true,
        }
    }

    fn binary(&mut self, code: u16, a: u32, b: i64) -> u32 {
        let b = self.constant(b);
        self.operation(code, a, b)
    }

    /// An integer operation, folded where both sides are constant, as Python rounds.
    pub(super) fn operation(&mut self, code: u16, a: u32, b: u32) -> u32 {
        let folded = match (self.as_constant(a), self.as_constant(b)) {
            (Some(a), Some(b)) => match code {
                code::ADD => a.checked_add(b),
                code::SUB => a.checked_sub(b),
                code::MUL => a.checked_mul(b),
                code::DIV if b != 0 => a.checked_div_euclid(b).filter(|_| b > 0),
                code::REM if b > 0 => a.checked_rem_euclid(b),
                code::SHL if (0..62).contains(&b) => a.checked_mul(1 << b),
                code::SHR if (0..63).contains(&b) => Some(a >> b),
                code::AND | code::OR | code::XOR => fold(code, a, b),
                _ => None,
            },
            _ => None,
        };
        match folded {
            Some(value) => self.constant(value),
            None => self.push_expr(program::Expr::Operation { code, a, b }),
        }
    }

    /// What an operator makes of two values.
    pub(super) fn arithmetic(&mut self, op: Operator, left: Val, right: Val) -> Val {
        match (left, right) {
            (Val::Int(a), Val::Int(b)) => {
                let code = match op {
                    Operator::Add => code::ADD,
                    Operator::Sub => code::SUB,
                    Operator::Mult => code::MUL,
                    Operator::FloorDiv => code::DIV,
                    Operator::Mod => code::REM,
                    Operator::LShift => code::SHL,
                    Operator::RShift => code::SHR,
                    Operator::BitAnd => code::AND,
                    Operator::BitOr => code::OR,
                    Operator::BitXor => code::XOR,
                    Operator::Pow => return self.power(a, b),
                    Operator::Div | Operator::MatMult => return Val::Unknown,
                };
                Val::Int(self.operation(code, a, b))
            }
            (Val::Items(a), Val::Items(b)) if op == Operator::Add => Val::Items(self.operation(code::ADD, a, b)),
            (Val::Items(items), Val::Int(times)) | (Val::Int(times), Val::Items(items)) if op == Operator::Mult => {
                Val::Items(self.operation(code::MUL, items, times))
            }
            (Val::Object(path), _) | (_, Val::Object(path)) => Val::Object(path),
            _ => Val::Unknown,
        }
    }

    fn power(&mut self, a: u32, b: u32) -> Val {
        match (self.as_constant(a), self.as_constant(b)) {
            (Some(a), Some(b)) => {
                let folded = u32::try_from(b).ok().and_then(|b| a.checked_pow(b));
                folded.map_or(Val::Unknown, |value| Val::Int(self.constant(value)))
            }
            (_, Some(2)) => Val::Int(self.operation(code::MUL, a, a)),
            _ => Val::Unknown,
        }
    }

    /// Puts a loop in the forest; its body runs as often as its header.
    pub(super) fn push_loop(&mut self, trips: &Trips, offset: u32, main: u32, waits: bool) -> u32 {
        let trip = self.trip(trips, waits);
        let index = self.sheet.forest.loops.len() as u32;
        self.sheet.forest.loops.push(Loop {
            offset: u64::from(self.file.number) << 32 | u64::from(offset),
            depth: self.loops.len() as u32 + 1,
            trip,
            main,
            again: true,
            test: program::NONE,
            phis: (0, 0),
            steers: false,
            lingers: None,
            early: false,
            ending: Ending::NONE,
            like: 0,
            finding: None,
        });
        let text = trips.text.clone().filter(|_| !matches!(trip, Trip::Formula { len: 0, .. }));
        self.sheet.notes.push(LoopNote { text, ..LoopNote::default() });
        index
    }

    fn trip(&mut self, trips: &Trips, _waits: bool) -> Trip {
        let Some((from, to, step)) = trips.range else {
            return Trip::Unknown(trips.unknown.unwrap_or(UnknownLoop::Counted));
        };
        // max(1, ceil(distance / |step|) + 1) with the distance one step short: the guard takes what never runs.
        let (low, high) = if step > 0 { (from, to) } else { (to, from) };
        let step = step.checked_abs().unwrap_or(i64::MAX);
        let start = self.sheet.forest.terms.len() as u32;
        let mut constant = step.checked_neg().unwrap_or(i64::MIN);
        for (expr, sign) in [(high, 1), (low, -1)] {
            match self.as_constant(expr) {
                Some(value) => constant = constant.saturating_add(value.saturating_mul(sign)),
                None => {
                    self.depends(expr, 8);
                    self.sheet.forest.terms.push((expr, sign));
                }
            }
        }
        let len = self.sheet.forest.terms.len() as u32 - start;
        Trip::Formula { start, len, constant, step, per: program::NONE }
    }

    /// The condition that a loop runs at all, where its length is known or given by a parameter.
    pub(super) fn zero_guard(&mut self, trips: &Trips) -> Option<u32> {
        let (from, to, step) = trips.range?;
        let (low, high) = if step > 0 { (from, to) } else { (to, from) };
        if self.depends(low, 8) || self.depends(high, 8) {
            return None;
        }
        let zero = self.constant(0);
        let length = self.operation(code::SUB, high, low);
        Some(match self.as_constant(length) {
            Some(length) => self.constant(i64::from(length > 0)),
            None => self.operation(code::GT, length, zero),
        })
    }

    /// The value of the variable of the loop just opened.
    pub(super) fn loop_variable(&mut self, trips: &Trips) -> Val {
        let (Some((from, _, step)), true, Some(open)) = (trips.range, trips.numbers, self.loops.last()) else {
            return Val::Unknown;
        };
        let phi = Phi {
            of: open.index,
            init: from,
            step: Some(step),
            stride: (program::NONE, 0),
            latch: program::NONE,
            cycle: None,
        };
        self.sheet.forest.phis.push(phi);
        let number = self.sheet.forest.phis.len() as u32 - 1;
        Val::Int(self.push_expr(program::Expr::Phi(number)))
    }
}

fn mirrored(op: CmpOp) -> CmpOp {
    match op {
        CmpOp::Lt => CmpOp::Gt,
        CmpOp::LtE => CmpOp::GtE,
        CmpOp::Gt => CmpOp::Lt,
        CmpOp::GtE => CmpOp::LtE,
        other => other,
    }
}

/// What each iteration adds to a name, where one statement of the body itself does, and how many statements of the body
/// bind it, inner blocks included.
fn step_of(body: &[Stmt], name: &str) -> Option<(i64, u32)> {
    let step = body.iter().find_map(|statement| match statement {
        Stmt::AugAssign(assign) if named(&assign.target, name) => {
            let value = number(&assign.value)?;
            match assign.op {
                Operator::Add => Some(value),
                Operator::Sub => value.checked_neg(),
                _ => None,
            }
        }
        Stmt::Assign(assign) if assign.targets.len() == 1 && named(assign.targets.first()?, name) => {
            let Expr::BinOp(operation) = &*assign.value else { return None };
            let value = number(&operation.right).filter(|_| named(&operation.left, name))?;
            match operation.op {
                Operator::Add => Some(value),
                Operator::Sub => value.checked_neg(),
                _ => None,
            }
        }
        _ => None,
    })?;
    let scope = super::scope::Scope::of(body);
    Some((step, scope.names.get(name).map_or(0, |bound| bound.count))).filter(|found| found.0 != 0)
}

fn named(expr: &Expr, name: &str) -> bool {
    matches!(expr, Expr::Name(found) if found.id.as_str() == name)
}

/// A small integer literal.
pub(super) fn number(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::NumberLiteral(literal) => match &literal.value {
            ast::Number::Int(value) => value.as_i64(),
            _ => None,
        },
        _ => None,
    }
}
