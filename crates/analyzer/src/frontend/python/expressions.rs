//! Expressions: what they cost, what they are worth, and the calls in them.

use forewarm_types::OpClass;
use forewarm_types::demand::Dependence;
use ruff_python_ast::{self as ast, CmpOp, Expr, Stmt, UnaryOp};

use super::calls::MAX_BASES;
use super::emit::{Body, Emitter, Val};
use super::libraries;
use super::scope::{mutated, start};
use super::trips::code;
use crate::priors::EVEN;
use crate::program::{Expr as Number, Node};

impl<'a> Emitter<'a, '_> {
    /// Evaluates an expression: counts what that takes, and returns what is known of its value.
    pub(super) fn expr(&mut self, expr: &'a Expr) -> Val {
        match expr {
            Expr::Name(name) => {
                self.work(if self.module_level { OpClass::Global } else { OpClass::Local }, 1);
                self.look_up(&name.id, start(name))
            }
            Expr::NumberLiteral(_) => {
                self.work(OpClass::Const, 1);
                super::trips::number(expr).map_or(Val::Unknown, |value| Val::Int(self.constant(value)))
            }
            Expr::BooleanLiteral(literal) => {
                self.work(OpClass::Const, 1);
                Val::Int(self.constant(i64::from(literal.value)))
            }
            Expr::StringLiteral(literal) => {
                self.work(OpClass::Const, 1);
                let length: usize = literal.value.iter().map(|part| part.value.chars().count()).sum();
                let length = length as i64;
                Val::Items(self.constant(length))
            }
            Expr::BytesLiteral(literal) => {
                self.work(OpClass::Const, 1);
                let length: usize = literal.value.iter().map(|part| part.value.len()).sum();
                let length = length as i64;
                Val::Items(self.constant(length))
            }
            Expr::NoneLiteral(_) | Expr::EllipsisLiteral(_) => {
                self.work(OpClass::Const, 1);
                Val::Unknown
            }
            Expr::Attribute(attribute) => {
                let base = self.expr(&attribute.value);
                self.work(OpClass::Load, 1);
                self.attribute(base, &attribute.attr.id)
            }
            Expr::Call(call) => self.call(call),
            Expr::BinOp(operation) => self.binary_operation(operation),
            Expr::UnaryOp(operation) => self.unary(operation),
            Expr::Compare(compare) => {
                self.comparison(compare);
                Val::Unknown
            }
            Expr::BoolOp(operation) => {
                operation.values.iter().for_each(|value| {
                    self.expr(value);
                });
                self.work(OpClass::Branch, operation.values.len().saturating_sub(1) as u32);
                Val::Unknown
            }
            Expr::Subscript(subscript) => {
                let base = self.expr(&subscript.value);
                self.expr(&subscript.slice);
                self.work(OpClass::Load, 1);
                if let Val::Object(path) = base { Val::Object(path) } else { Val::Unknown }
            }
            Expr::Slice(slice) => {
                for part in [&slice.lower, &slice.upper, &slice.step] {
                    match part {
                        Some(part) => drop(self.expr(part)),
                        None => self.work(OpClass::Const, 1),
                    }
                }
                Val::Unknown
            }
            Expr::If(chosen) => self.conditional_expression(chosen),
            Expr::List(list) => self.display(&list.elts),
            Expr::Tuple(tuple) => self.display(&tuple.elts),
            Expr::Set(set) => {
                self.display(&set.elts);
                Val::Unknown
            }
            Expr::Dict(dict) => {
                for item in &dict.items {
                    if let Some(key) = &item.key {
                        self.expr(key);
                    }
                    self.expr(&item.value);
                }
                self.work(OpClass::Other, 1);
                let plain = !dict.items.is_empty() && dict.items.iter().all(|item| item.key.is_some());
                if plain { Val::Items(self.constant(dict.items.len() as i64)) } else { Val::Unknown }
            }
            Expr::ListComp(comp) => self.comprehension(expr, &comp.generators, [Some(&*comp.elt), None], false),
            Expr::SetComp(comp) => {
                self.comprehension(expr, &comp.generators, [Some(&*comp.elt), None], false);
                Val::Unknown
            }
            Expr::DictComp(comp) => {
                self.comprehension(expr, &comp.generators, [comp.key.as_deref(), Some(&*comp.value)], false);
                Val::Unknown
            }
            Expr::Generator(comp) => self.comprehension(expr, &comp.generators, [Some(&*comp.elt), None], true),
            Expr::Lambda(lambda) => {
                self.work(OpClass::Const, 1);
                self.work(OpClass::Other, 1);
                let name = self.qualified("<lambda>");
                Val::Function(self.defer(name, start(lambda), Body::Lambda(lambda), None))
            }
            Expr::Named(named) => {
                let val = self.expr(&named.value);
                self.work(OpClass::Local, 1);
                self.store(&named.target, val);
                val
            }
            Expr::Await(waited) => {
                self.work(OpClass::Other, 5);
                self.expr(&waited.value)
            }
            Expr::Yield(yielded) => {
                yielded.value.iter().for_each(|value| {
                    self.expr(value);
                });
                self.work(OpClass::Other, 2);
                Val::Unknown
            }
            Expr::YieldFrom(yielded) => {
                self.expr(&yielded.value);
                self.work(OpClass::Other, 5);
                Val::Unknown
            }
            Expr::Starred(starred) => {
                self.expr(&starred.value);
                self.work(OpClass::Other, 1);
                Val::Unknown
            }
            Expr::FString(text) => {
                for element in text.value.elements() {
                    self.format_element(element);
                }
                self.work(OpClass::Other, 1);
                Val::Unknown
            }
            Expr::TString(text) => {
                for element in text.value.elements() {
                    self.format_element(element);
                }
                self.work(OpClass::Other, 1);
                Val::Unknown
            }
            Expr::IpyEscapeCommand(_) => Val::Unknown,
        }
    }

    fn format_element(&mut self, element: &'a ast::InterpolatedStringElement) {
        match element {
            ast::InterpolatedStringElement::Literal(_) => self.work(OpClass::Const, 1),
            ast::InterpolatedStringElement::Interpolation(field) => {
                self.expr(&field.expression);
                if let Some(format) = &field.format_spec {
                    format.elements.iter().for_each(|element| self.format_element(element));
                }
                self.work(OpClass::Other, 1);
            }
        }
    }

    fn display(&mut self, items: &'a [Expr]) -> Val {
        if items.len() > 2 && items.iter().all(Expr::is_literal_expr) {
            // The compiler makes one constant of them.
            self.work(OpClass::Const, 1);
            self.work(OpClass::Other, 2);
            return Val::Items(self.constant(items.len() as i64));
        }
        items.iter().for_each(|item| {
            self.expr(item);
        });
        self.work(OpClass::Other, 1);
        // An empty list is there to be filled.
        let plain = !items.is_empty() && items.iter().all(|item| !item.is_starred_expr());
        if plain { Val::Items(self.constant(items.len() as i64)) } else { Val::Unknown }
    }

    pub(super) fn attribute(&mut self, base: Val, attr: &ast::name::Name) -> Val {
        match base {
            Val::Path(path) => self.member(path, attr),
            Val::Instance(class) | Val::Class(class) => {
                self.sheet.method(class, attr, MAX_BASES).map_or(Val::Unknown, Val::Function)
            }
            _ => Val::Unknown,
        }
    }

    /// What a module offers under a name: a local module's own things, else a longer path.
    pub(super) fn offered(&mut self, module: &str, name: &str) -> Val {
        if let Some(fixed) = self.sheet.modules.get(module).and_then(|offers| offers.get(name)).copied() {
            return self.unfix(fixed);
        }
        Val::Path(self.sheet.intern(&format!("{module}.{name}")))
    }

    /// As [`Self::offered`], remembered.
    pub(super) fn member(&mut self, module: u32, attr: &ast::name::Name) -> Val {
        let key = (module, attr.clone());
        if let Some(&path) = self.sheet.members.get(&key) {
            return Val::Path(path);
        }
        let path = self.sheet.path(module);
        let val = self.offered(&path, attr);
        if let Val::Path(path) = val {
            self.sheet.members.insert(key, path);
        }
        val
    }

    fn binary_operation(&mut self, operation: &'a ast::ExprBinOp) -> Val {
        if let (Some(a), Some(b)) = (super::trips::number(&operation.left), super::trips::number(&operation.right)) {
            self.work(OpClass::Const, 1);
            let (a, b) = (self.constant(a), self.constant(b));
            return self.arithmetic(operation.op, Val::Int(a), Val::Int(b));
        }
        let left = self.expr(&operation.left);
        let right = self.expr(&operation.right);
        let class = match operation.op {
            ast::Operator::Mult | ast::Operator::MatMult | ast::Operator::Pow => OpClass::IntMul,
            ast::Operator::Div | ast::Operator::FloorDiv | ast::Operator::Mod => OpClass::IntDiv,
            _ => OpClass::IntAlu,
        };
        self.work(class, 1);
        match (left, right) {
            (Val::Object(path), _) | (_, Val::Object(path)) => self.object_operation(path, start(operation)),
            _ => self.note_arithmetic(),
        }
        self.arithmetic(operation.op, left, right)
    }

    /// An operator on what a library made is that library's work.
    fn object_operation(&mut self, path: u32, at: u32) {
        let path = self.sheet.path(path);
        if let Some(library) = libraries::find(&path) {
            self.note_use(library, &format!("operator on {path}"), at);
        }
    }

    fn unary(&mut self, operation: &'a ast::ExprUnaryOp) -> Val {
        let folded = operation.op == UnaryOp::USub && operation.operand.is_number_literal_expr();
        let val = self.expr(&operation.operand);
        if !folded {
            self.work(OpClass::IntAlu, 1);
        }
        match (operation.op, val) {
            (UnaryOp::USub, Val::Int(expr)) => {
                let zero = self.constant(0);
                Val::Int(self.operation(code::SUB, zero, expr))
            }
            (UnaryOp::UAdd, val) => val,
            _ => Val::Unknown,
        }
    }

    /// A comparison; its truth as an expression, where it is one of two integers.
    fn comparison(&mut self, compare: &'a ast::ExprCompare) -> Option<u32> {
        let left = self.expr(&compare.left);
        let mut right = Val::Unknown;
        for side in &compare.comparators {
            right = self.expr(side);
        }
        self.work(OpClass::IntAlu, compare.ops.len() as u32);
        let (Val::Int(a), Val::Int(b), [op]) = (left, right, &compare.ops[..]) else { return None };
        let code = match op {
            CmpOp::Eq => 0x51,
            CmpOp::NotEq => 0x52,
            CmpOp::Lt => 0x53,
            CmpOp::Gt => 0x55,
            CmpOp::LtE => 0x57,
            CmpOp::GtE => 0x59,
            CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn => return None,
        };
        Some(self.push_expr(Number::Operation { code, a, b }))
    }

    /// Evaluates a condition; its truth as an expression, where it is one.
    pub(super) fn test(&mut self, test: &'a Expr) -> Option<u32> {
        self.work(OpClass::Branch, 1);
        match test {
            Expr::Compare(compare) => self.comparison(compare),
            Expr::UnaryOp(operation) if operation.op == UnaryOp::Not => {
                let truth = self.test(&operation.operand)?;
                // eqz of 64 bits.
                let zero = self.constant(0);
                Some(self.push_expr(Number::Operation { code: 0x51, a: truth, b: zero }))
            }
            _ => match self.expr(test) {
                Val::Int(truth) if !self.is_parameter(truth) => Some(truth),
                _ => None,
            },
        }
    }

    /// A parameter used as a condition is as likely an object as a number.
    fn is_parameter(&self, expr: u32) -> bool {
        matches!(self.sheet.forest.exprs.get(expr as usize), Some(Number::Param(_) | Number::Opaque { .. }))
    }

    fn conditional_expression(&mut self, chosen: &'a ast::ExprIf) -> Val {
        let truth = self.test(&chosen.test);
        let cond = self.cond(truth, EVEN);
        let mark = self.log.len();
        self.open(Node::If(cond));
        let body = self.expr(&chosen.body);
        self.node(Node::Else);
        let orelse = self.expr(&chosen.orelse);
        self.close();
        self.forget_since(mark);
        match (body, orelse) {
            (Val::Int(a), Val::Int(b)) => Val::Int(self.push_expr(Number::Either(a, b))),
            (a, b) if a == b => a,
            _ => Val::Unknown,
        }
    }

    fn comprehension(
        &mut self,
        whole: &'a Expr,
        generators: &'a [ast::Comprehension],
        parts: [Option<&'a Expr>; 2],
        generates: bool,
    ) -> Val {
        // MAKE_FUNCTION and its constant, the call, RESUME, the collection, LOAD_FAST, RETURN_VALUE.
        self.work(OpClass::Const, 1);
        self.work(OpClass::Call, 3);
        self.work(OpClass::Other, 5);
        let mark = self.log.len();
        let mut exits = Vec::new();
        let mut count = None;
        use ruff_text_size::Ranged;
        let range = (u32::from(whole.range().start()), u32::from(whole.range().end()));
        for generator in generators {
            let trips = self.iterable(&generator.iter);
            count = match (&trips.range, exits.is_empty() && generator.ifs.is_empty()) {
                (&Some((from, to, 1)), true) => Some((from, to)),
                _ => None,
            };
            exits.push(self.open_loop(&trips, start(&generator.iter), range, generator.is_async));
            let val = self.loop_variable(&trips);
            self.store(&generator.target, val);
            for test in &generator.ifs {
                let truth = self.test(test);
                let cond = self.cond(truth, EVEN);
                self.open(Node::If(cond));
            }
        }
        for part in parts.into_iter().flatten() {
            self.expr(part);
        }
        self.work(OpClass::Other, if generates { 3 } else { 1 });
        let free = parts.iter().flatten().all(|part| pure(part))
            && generators.iter().all(|generator| generator.ifs.iter().all(pure));
        for generator in generators.iter().rev() {
            for _ in &generator.ifs {
                self.close();
            }
            if free {
                self.share(Dependence::Independent);
            }
            self.close_loop(None);
            if let Some(exit) = exits.pop() {
                self.exit_loop(exit);
            }
        }
        self.restore(mark);
        match count {
            Some((from, to)) if generators.len() == 1 => Val::Items(self.operation(code::SUB, to, from)),
            _ => Val::Unknown,
        }
    }

    /// Notes what the iterations of the innermost open loop share.
    fn share(&mut self, dependence: Dependence) {
        let index = self.loops.last().map(|open| open.index as usize);
        if let Some(note) = index.and_then(|index| self.sheet.notes.get_mut(index)) {
            note.dependence = Some(dependence);
        }
    }

    /// Sees whether a `for` loop's body only accumulates.
    pub(super) fn finding(&mut self, body: &'a [Stmt]) {
        let accumulates = |statement: &Stmt| match statement {
            Stmt::AugAssign(assign) => {
                let associative = matches!(
                    assign.op,
                    ast::Operator::Add
                        | ast::Operator::Mult
                        | ast::Operator::BitAnd
                        | ast::Operator::BitOr
                        | ast::Operator::BitXor
                );
                associative
                    && assign.target.is_name_expr()
                    && pure(&assign.value)
                    && !mentions(&assign.value, &assign.target)
            }
            Stmt::Pass(_) => true,
            _ => false,
        };
        let names: Vec<&Expr> = body
            .iter()
            .filter_map(|statement| match statement {
                Stmt::AugAssign(assign) => Some(&*assign.target),
                _ => None,
            })
            .collect();
        // What one accumulates must not be what another reads.
        let apart = |statement: &Stmt| match statement {
            Stmt::AugAssign(assign) => !names.iter().any(|name| mentions(&assign.value, name)),
            _ => true,
        };
        if names.len() <= 16
            && !names.is_empty()
            && body.iter().all(|statement| accumulates(statement) && apart(statement))
        {
            self.share(Dependence::Reduction);
        }
    }

    /// Notes arithmetic on single values in the innermost open loop.
    pub(super) fn note_arithmetic(&mut self) {
        let index = self.loops.last().map(|open| open.index as usize);
        if let Some(note) = index.and_then(|index| self.sheet.notes.get_mut(index)) {
            note.arithmetic += 1;
        }
    }

    /// A call that changes the length of what a name holds makes it unknown.
    pub(super) fn mutation(&mut self, call: &'a ast::ExprCall) {
        if let Some(name) = mutated(call)
            && matches!(self.names.get(name.id.as_str()).map(|slot| slot.val), Some(Val::Items(_)))
        {
            self.bind(&name.id, start(name), Val::Unknown);
        }
    }
}

/// Whether evaluating an expression changes nothing that another evaluation could see: no calls but of a few built-in
/// functions on numbers.
fn pure(expr: &Expr) -> bool {
    match expr {
        Expr::Name(_) => true,
        Expr::BinOp(operation) => pure(&operation.left) && pure(&operation.right),
        Expr::UnaryOp(operation) => pure(&operation.operand),
        Expr::BoolOp(operation) => operation.values.iter().all(pure),
        Expr::Compare(compare) => pure(&compare.left) && compare.comparators.iter().all(pure),
        Expr::If(chosen) => pure(&chosen.test) && pure(&chosen.body) && pure(&chosen.orelse),
        Expr::Subscript(subscript) => pure(&subscript.value) && pure(&subscript.slice),
        Expr::Attribute(attribute) => pure(&attribute.value),
        Expr::Tuple(tuple) => tuple.elts.iter().all(pure),
        Expr::Call(call) => {
            let known =
                ["abs", "bool", "chr", "divmod", "float", "int", "len", "max", "min", "ord", "pow", "round", "str"];
            let harmless = matches!(&*call.func, Expr::Name(name) if known.contains(&name.id.as_str()));
            harmless && call.arguments.args.iter().all(pure)
        }
        other => other.is_literal_expr(),
    }
}

/// Whether an expression reads a name.
fn mentions(expr: &Expr, name: &Expr) -> bool {
    let Expr::Name(wanted) = name else { return true };
    match expr {
        Expr::Name(found) => found.id == wanted.id,
        Expr::BinOp(operation) => mentions(&operation.left, name) || mentions(&operation.right, name),
        Expr::UnaryOp(operation) => mentions(&operation.operand, name),
        Expr::BoolOp(operation) => operation.values.iter().any(|value| mentions(value, name)),
        Expr::Compare(compare) => {
            mentions(&compare.left, name) || compare.comparators.iter().any(|side| mentions(side, name))
        }
        Expr::If(chosen) => [&chosen.test, &chosen.body, &chosen.orelse].iter().any(|part| mentions(part, name)),
        Expr::Subscript(subscript) => mentions(&subscript.value, name) || mentions(&subscript.slice, name),
        Expr::Attribute(attribute) => mentions(&attribute.value, name),
        Expr::Tuple(tuple) => tuple.elts.iter().any(|part| mentions(part, name)),
        Expr::Call(call) => call.arguments.args.iter().any(|argument| mentions(argument, name)),
        other => !other.is_literal_expr(),
    }
}
