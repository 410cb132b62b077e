//! Statements laid out as control structure.

use forewarm_types::OpClass;
use ruff_python_ast::{self as ast, ExceptHandler, Expr, Stmt};

use super::emit::{Body, Class, Emitter, Val};
use super::scope::start;
use super::trips::Trips;
use crate::priors::{COLD, EVEN, OPCODE_UNLIKELY, UnknownLoop};
use crate::program::Node;
use crate::values::Source;

impl<'a> Emitter<'a, '_> {
    pub(super) fn suite(&mut self, body: &'a [Stmt]) {
        for statement in body {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &'a Stmt) {
        match statement {
            // Docstrings and other constants are compiled to nothing.
            Stmt::Expr(expression) if expression.value.is_literal_expr() => {}
            Stmt::Expr(expression) => {
                self.expr(&expression.value);
                self.work(OpClass::Local, 1);
                if let Expr::Call(call) = &*expression.value {
                    self.mutation(call);
                }
            }
            Stmt::Assign(assign) => self.assign(assign),
            Stmt::AugAssign(assign) => self.augmented(assign),
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    let val = self.expr(value);
                    self.store(&assign.target, val);
                }
            }
            Stmt::Return(returned) => {
                if let Some(value) = &returned.value {
                    self.expr(value);
                }
                self.work(OpClass::Branch, 1);
                self.loops.iter_mut().for_each(|open| open.early = true);
                self.node(Node::Return);
            }
            Stmt::Raise(raise) => {
                raise.exc.iter().chain(&raise.cause).for_each(|value| {
                    self.expr(value);
                });
                self.work(OpClass::Other, 1);
                match self.catches.last() {
                    Some(&frame) => self.branch(frame),
                    None => self.node(Node::Stop),
                }
            }
            Stmt::If(branch) => self.branches(branch),
            Stmt::For(each) => self.for_loop(each),
            Stmt::While(each) => self.while_loop(each),
            Stmt::With(with) => {
                for item in &with.items {
                    let val = self.expr(&item.context_expr);
                    // BEFORE_WITH, and the call of `__exit__` with three constants at the end.
                    self.work(OpClass::Call, 2);
                    self.work(OpClass::Const, 3);
                    if let Some(target) = &item.optional_vars {
                        self.store(target, val);
                    }
                }
                self.suite(&with.body);
            }
            Stmt::Try(attempt) => self.attempt(attempt),
            Stmt::Match(chosen) => self.match_cases(chosen),
            Stmt::FunctionDef(def) => self.function(def),
            Stmt::ClassDef(def) => self.class_statement(def),
            Stmt::Break(_) => self.leave_loop(false),
            Stmt::Continue(_) => self.leave_loop(true),
            Stmt::Assert(assert) => {
                self.expr(&assert.test);
                self.work(OpClass::Branch, 1);
            }
            Stmt::Delete(delete) => {
                for target in &delete.targets {
                    self.store(target, Val::Unknown);
                }
            }
            Stmt::Import(import) => self.import(import),
            Stmt::ImportFrom(import) => self.import_from(import),
            Stmt::TypeAlias(alias) => self.store(&alias.name, Val::Unknown),
            Stmt::Pass(_) | Stmt::Global(_) | Stmt::Nonlocal(_) | Stmt::IpyEscapeCommand(_) => {}
        }
    }

    fn assign(&mut self, assign: &'a ast::StmtAssign) {
        self.environment_flag(assign);
        // `a, b = x, y` binds one to one.
        if let ([Expr::Tuple(targets)], Expr::Tuple(values)) = (&assign.targets[..], &*assign.value)
            && targets.elts.len() == values.elts.len()
        {
            let vals: Vec<Val> = values.elts.iter().map(|value| self.expr(value)).collect();
            for (target, val) in targets.elts.iter().zip(vals) {
                self.store(target, val);
            }
            return;
        }
        let val = self.expr(&assign.value);
        self.work(OpClass::Local, assign.targets.len().saturating_sub(1) as u32);
        for target in &assign.targets {
            self.store(target, val);
            self.note_texts(target, &assign.value);
        }
    }

    fn augmented(&mut self, assign: &'a ast::StmtAugAssign) {
        let right = self.expr(&assign.value);
        self.work(OpClass::IntAlu, 1);
        self.note_arithmetic();
        let val = match &*assign.target {
            Expr::Name(name) => {
                self.work(OpClass::Local, 1);
                let left = self.look_up(&name.id, start(name));
                self.arithmetic(assign.op, left, right)
            }
            Expr::Attribute(attribute) => {
                self.expr(&attribute.value);
                self.work(OpClass::Load, 1);
                Val::Unknown
            }
            Expr::Subscript(subscript) => {
                self.expr(&subscript.value);
                self.expr(&subscript.slice);
                self.work(OpClass::Local, 3);
                self.work(OpClass::Load, 1);
                self.work(OpClass::Store, 1);
                return;
            }
            _ => Val::Unknown,
        };
        self.store(&assign.target, val);
    }

    /// Stores what is on the stack.
    pub(super) fn store(&mut self, target: &'a Expr, val: Val) {
        match target {
            Expr::Name(name) => {
                self.work(OpClass::Local, 1);
                let val = if self.scope.outer.contains(&name.id.as_str()) { Val::Unknown } else { val };
                self.bind(&name.id, start(name), val);
            }
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                self.work(OpClass::Local, 1);
                elts.iter().for_each(|part| self.store(part, Val::Unknown));
            }
            Expr::Starred(starred) => self.store(&starred.value, Val::Unknown),
            Expr::Attribute(attribute) => {
                self.expr(&attribute.value);
                self.work(OpClass::Store, 1);
            }
            Expr::Subscript(subscript) => {
                self.expr(&subscript.value);
                self.expr(&subscript.slice);
                self.work(OpClass::Store, 1);
            }
            _ => {}
        }
    }

    fn branches(&mut self, branch: &'a ast::StmtIf) {
        let mark = self.log.len();
        self.branch_if(&branch.test, &branch.body);
        let mut opened = 1;
        for clause in &branch.elif_else_clauses {
            self.node(Node::Else);
            match &clause.test {
                Some(test) => {
                    self.branch_if(test, &clause.body);
                    opened += 1;
                }
                None => self.guarded(None, &clause.body),
            }
        }
        for _ in 0..opened {
            self.close();
        }
        self.forget_since(mark);
    }

    fn branch_if(&mut self, test: &'a Expr, body: &'a [Stmt]) {
        let known = self.settled(test);
        let truth = self.test(test);
        let expr = known.map(|truth| self.constant(i64::from(truth))).or(truth);
        let chance = if ends_in_raise(body) { COLD } else { likely(test) };
        let cond = self.cond(expr, chance);
        self.open(Node::If(cond));
        self.guarded(Some(known), body);
    }

    /// A body that runs only where its condition holds; `known` says what the code alone tells of that.
    fn guarded(&mut self, known: Option<Option<bool>>, body: &'a [Stmt]) {
        match known {
            Some(Some(false)) => self.never += 1,
            Some(Some(true)) => {}
            _ => self.conditional += 1,
        }
        self.suite(body);
        match known {
            Some(Some(false)) => self.never -= 1,
            Some(Some(true)) => {}
            _ => self.conditional -= 1,
        }
    }

    fn for_loop(&mut self, each: &'a ast::StmtFor) {
        let mark = self.log.len();
        let trips = self.iterable(&each.iter);
        self.work(OpClass::Local, 1);
        let range = (u32::from(each.range.start()), u32::from(each.range.end()));
        let exit = self.open_loop(&trips, start(&*each.iter), range, each.is_async);
        let val = self.loop_variable(&trips);
        self.store(&each.target, val);
        self.note_texts(&each.target, &each.iter);
        self.suite(&each.body);
        self.finding(&each.body);
        self.close_loop(None);
        self.suite(&each.orelse);
        self.exit_loop(exit);
        self.forget_since(mark);
    }

    fn while_loop(&mut self, each: &'a ast::StmtWhile) {
        let mark = self.log.len();
        let trips = self.while_trips(each);
        let range = (u32::from(each.range.start()), u32::from(each.range.end()));
        self.test(&each.test);
        self.work(OpClass::Branch, 1);
        let exit = self.open_loop(&trips, start(&*each.test), range, false);
        self.suite(&each.body);
        self.close_loop(Some(&each.test));
        self.suite(&each.orelse);
        self.exit_loop(exit);
        self.forget_since(mark);
    }

    fn leave_loop(&mut self, again: bool) {
        self.work(OpClass::Branch, 1);
        let Some(open) = self.loops.last_mut() else { return };
        open.early |= !again;
        let frame = if again { open.next } else { open.exit };
        self.branch(frame);
    }

    fn attempt(&mut self, attempt: &'a ast::StmtTry) {
        let mark = self.log.len();
        self.work(OpClass::Other, 1);
        let imports = attempt.handlers.iter().any(|ExceptHandler::ExceptHandler(handler)| catches_imports(handler));
        let caught = !attempt.handlers.is_empty();
        if caught {
            let frame = self.open(Node::Block);
            self.catches.push(frame);
        }
        self.optional += u32::from(imports);
        self.suite(&attempt.body);
        self.optional -= u32::from(imports);
        self.suite(&attempt.orelse);
        if caught {
            self.catches.pop();
            self.close();
        }
        for ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
            let cond = self.cond(None, COLD);
            self.open(Node::If(cond));
            self.conditional += 1;
            if let Some(kind) = &handler.type_ {
                self.expr(kind);
            }
            if let Some(name) = &handler.name {
                self.bind(name, start(name), Val::Unknown);
            }
            self.work(OpClass::Other, 4);
            self.suite(&handler.body);
            self.conditional -= 1;
            self.close();
        }
        self.forget_since(mark);
        self.suite(&attempt.finalbody);
    }

    fn match_cases(&mut self, chosen: &'a ast::StmtMatch) {
        let mark = self.log.len();
        self.expr(&chosen.subject);
        for (index, case) in chosen.cases.iter().enumerate() {
            self.work(OpClass::Other, 2);
            self.work(OpClass::Branch, 1);
            if let Some(guard) = &case.guard {
                self.expr(guard);
            }
            // Each case is as likely as the others that are left.
            let wild = case.pattern.is_irrefutable();
            let chance = if wild { 1.0 } else { 1.0 / (chosen.cases.len() - index) as f64 };
            let cond = self.cond(None, chance);
            self.open(Node::If(cond));
            self.conditional += 1;
            self.suite(&case.body);
            self.conditional -= 1;
            self.node(Node::Else);
        }
        for _ in &chosen.cases {
            self.close();
        }
        self.forget_since(mark);
    }

    fn function(&mut self, def: &'a ast::StmtFunctionDef) {
        for decorator in &def.decorator_list {
            self.expr(&decorator.expression);
            self.work(OpClass::Call, 1);
        }
        let defaults = def.parameters.iter_non_variadic_params().filter_map(|parameter| parameter.default.as_deref());
        for default in defaults {
            self.expr(default);
        }
        // LOAD_CONST, MAKE_FUNCTION.
        self.work(OpClass::Const, 1);
        self.work(OpClass::Other, 1);
        let bare = def.decorator_list.iter().all(|decorator| !is_named(&decorator.expression, "staticmethod"));
        let class = self.class.filter(|_| self.module_level && bare);
        let name = self.qualified(&def.name);
        let number = self.defer(name, u32::from(def.name.range.start()), Body::Def(def), class);
        if let Some(class) = self.class.filter(|_| self.module_level) {
            self.sheet.classes[class as usize].methods.insert(def.name.to_string(), number);
            let unique = self.sheet.methods.entry(def.name.to_string()).or_insert(number);
            if *unique != number {
                *unique = crate::program::NONE;
            }
        }
        self.work(OpClass::Local, 1);
        self.bind(&def.name, start(&def.name), Val::Function(number));
    }

    /// A function's name with that of its class or of the function around it.
    pub(super) fn qualified(&self, name: &str) -> String {
        if let Some(class) = self.class.filter(|_| self.module_level) {
            return format!("{}.{name}", self.sheet.classes[class as usize].name);
        }
        match self.sheet.defs.get(&self.number) {
            Some(def) if !self.module_level => format!("{}.{name}", def.name),
            _ => name.to_owned(),
        }
    }

    /// A class: its body runs here and now, in a namespace of its own.
    fn class_statement(&mut self, def: &'a ast::StmtClassDef) {
        for decorator in &def.decorator_list {
            self.expr(&decorator.expression);
            self.work(OpClass::Call, 1);
        }
        let mut bases = Vec::new();
        if let Some(arguments) = &def.arguments {
            for base in &arguments.args {
                if let Val::Class(class) = self.expr(base) {
                    bases.push(class);
                }
            }
            for keyword in &arguments.keywords {
                self.expr(&keyword.value);
            }
        }
        // PUSH_NULL, LOAD_BUILD_CLASS, MAKE_FUNCTION, CALL, and the namespace's own prologue and epilogue.
        self.work(OpClass::Other, 9);
        self.work(OpClass::Call, 1);
        let name = self.qualified(&def.name);
        let class = self.sheet.classes.len() as u32;
        self.sheet.classes.push(Class { name, bases, ..Class::default() });
        let outer = (self.class.replace(class), std::mem::replace(&mut self.module_level, true));
        let mark = self.log.len();
        self.suite(&def.body);
        self.restore(mark);
        (self.class, self.module_level) = outer;
        self.work(OpClass::Local, 1);
        self.bind(&def.name, start(&def.name), Val::Class(class));
    }

    /// A loop ready to be entered: the frame past its `else`.
    pub(super) fn open_loop(&mut self, trips: &Trips, offset: u32, range: (u32, u32), waits: bool) -> u32 {
        let exit = self.open(Node::Block);
        let guard = self.zero_guard(trips);
        let cond = self.cond(guard, 1.0);
        self.open(Node::If(cond));
        let main = self.cond(None, EVEN);
        let index = self.push_loop(trips, offset, main, waits);
        self.open(Node::Loop(index));
        let next = self.open(Node::Block);
        self.loops.push(super::emit::OpenLoop { index, start: range.0, end: range.1, exit, next, early: false });
        exit
    }

    /// The end of a loop's body: the way round again, or out. `test` is a `while` loop's, evaluated each time round.
    pub(super) fn close_loop(&mut self, test: Option<&'a Expr>) {
        self.close();
        if let Some(test) = test {
            self.test(test);
        }
        self.work(OpClass::Branch, if test.is_some() { 1 } else { 2 });
        let Some(open) = self.loops.pop() else { return };
        let main = self.sheet.forest.loops.get(open.index as usize).map_or(0, |entry| entry.main);
        self.node(Node::BrIf { depth: 0, cond: main });
        self.close();
        self.close();
        // What ends a loop of unknown length is in its length already.
        if let Some(entry) = self.sheet.forest.loops.get_mut(open.index as usize)
            && !matches!(entry.trip, crate::program::Trip::Unknown(UnknownLoop::Data))
        {
            entry.early = open.early;
        }
    }

    pub(super) fn exit_loop(&mut self, _exit: u32) {
        self.work(OpClass::Branch, 1);
        self.close();
    }

    /// What an `await` or an unknown call gives.
    pub(super) fn unknown_number(&mut self) -> Val {
        Val::Int(self.opaque(Source::Call))
    }
}

/// Whether a body can only end in an exception.
fn ends_in_raise(body: &[Stmt]) -> bool {
    matches!(body.last(), Some(Stmt::Raise(_)))
}

/// The chance of a test, by its form (see [`crate::priors`]).
fn likely(test: &Expr) -> f64 {
    match test {
        Expr::Compare(compare) => match (&compare.ops[..], &compare.comparators[..]) {
            ([ast::CmpOp::Eq], [right]) if right.is_literal_expr() => OPCODE_UNLIKELY,
            ([ast::CmpOp::NotEq], [right]) if right.is_literal_expr() => 1.0 - OPCODE_UNLIKELY,
            ([ast::CmpOp::Is], [Expr::NoneLiteral(_)]) => OPCODE_UNLIKELY,
            ([ast::CmpOp::IsNot], [Expr::NoneLiteral(_)]) => 1.0 - OPCODE_UNLIKELY,
            _ => EVEN,
        },
        Expr::UnaryOp(operation) if operation.op == ast::UnaryOp::Not => 1.0 - likely(&operation.operand),
        _ => EVEN,
    }
}

/// Whether a handler takes what a failed import raises.
fn catches_imports(handler: &ast::ExceptHandlerExceptHandler) -> bool {
    let named =
        |expr: &Expr| ["ImportError", "ModuleNotFoundError", "Exception"].iter().any(|name| is_named(expr, name));
    match handler.type_.as_deref() {
        None => true,
        Some(Expr::Tuple(tuple)) => tuple.elts.iter().any(named),
        Some(kind) => named(kind),
    }
}

pub(super) fn is_named(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::Name(found) => found.id.as_str() == name,
        Expr::Attribute(attribute) => attribute.attr.as_str() == name,
        _ => false,
    }
}
