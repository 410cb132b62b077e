//! Which names a scope binds, and where: what makes it safe to follow a value from where it is bound to where it is
//! used.

use ruff_python_ast::{ExceptHandler, Expr, Pattern, Stmt};
use ruff_text_size::{Ranged, TextSize};
use rustc_hash::{FxBuildHasher, FxHashMap};

/// The places where a scope binds one name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub first: u32,
    pub last: u32,
    pub count: u32,
}

/// The names bound in one scope, without those of scopes inside it.
#[derive(Debug, Default)]
pub(super) struct Scope<'a> {
    pub names: FxHashMap<&'a str, Bound>,
    /// Names declared `global` or `nonlocal`.
    pub outer: Vec<&'a str>,
}

impl<'a> Scope<'a> {
    /// Collects what statements bind.
    pub(super) fn of(body: &'a [Stmt]) -> Self {
        // Every other statement binds a name of its own.
        let names = FxHashMap::with_capacity_and_hasher((body.len() / 2).min(64), FxBuildHasher);
        let mut scope = Self { names, outer: Vec::new() };
        scope.suite(body);
        scope
    }

    /// Whether a name may be bound between two places.
    pub(super) fn bound_within(&self, name: &str, start: u32, end: u32) -> bool {
        self.names.get(name).is_some_and(|bound| bound.first < end && bound.last >= start)
    }

    pub(super) fn bind(&mut self, name: &'a str, at: TextSize) {
        let at = u32::from(at);
        let bound = self.names.entry(name).or_insert(Bound { first: at, last: at, count: 0 });
        bound.first = bound.first.min(at);
        bound.last = bound.last.max(at);
        bound.count += 1;
    }

    fn suite(&mut self, body: &'a [Stmt]) {
        for statement in body {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(def) => self.bind(&def.name, def.name.range.start()),
            Stmt::ClassDef(def) => self.bind(&def.name, def.name.range.start()),
            Stmt::Assign(assign) => {
                self.walrus(&assign.value);
                assign.targets.iter().for_each(|target| self.target(target));
            }
            Stmt::AugAssign(assign) => self.target(&assign.target),
            Stmt::AnnAssign(assign) if assign.value.is_some() => self.target(&assign.target),
            Stmt::TypeAlias(alias) => self.target(&alias.name),
            Stmt::Delete(delete) => {
                for target in &delete.targets {
                    self.target(if let Expr::Subscript(subscript) = target { &subscript.value } else { target });
                }
            }
            Stmt::For(each) => {
                self.target(&each.target);
                self.suite(&each.body);
                self.suite(&each.orelse);
            }
            Stmt::While(each) => {
                self.walrus(&each.test);
                self.suite(&each.body);
                self.suite(&each.orelse);
            }
            Stmt::If(branch) => {
                self.walrus(&branch.test);
                self.suite(&branch.body);
                for clause in &branch.elif_else_clauses {
                    if let Some(test) = &clause.test {
                        self.walrus(test);
                    }
                    self.suite(&clause.body);
                }
            }
            Stmt::With(with) => {
                with.items.iter().filter_map(|item| item.optional_vars.as_deref()).for_each(|name| self.target(name));
                self.suite(&with.body);
            }
            Stmt::Match(chosen) => {
                for case in &chosen.cases {
                    self.pattern(&case.pattern);
                    self.suite(&case.body);
                }
            }
            Stmt::Try(attempt) => {
                self.suite(&attempt.body);
                for ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
                    if let Some(name) = &handler.name {
                        self.bind(name, name.range.start());
                    }
                    self.suite(&handler.body);
                }
                self.suite(&attempt.orelse);
                self.suite(&attempt.finalbody);
            }
            Stmt::Import(import) => {
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name);
                    self.bind(name.split('.').next().unwrap_or(name), alias.range.start());
                }
            }
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    self.bind(alias.asname.as_ref().unwrap_or(&alias.name), alias.range.start());
                }
            }
            Stmt::Global(global) => self.outer.extend(global.names.iter().map(|name| name.as_str())),
            Stmt::Nonlocal(nonlocal) => self.outer.extend(nonlocal.names.iter().map(|name| name.as_str())),
            Stmt::Expr(expression) => self.walrus(&expression.value),
            Stmt::Return(returned) => returned.value.iter().for_each(|value| self.walrus(value)),
            _ => {}
        }
    }

    /// An assignment expression that is the whole of a test or value, or a side of a comparison in it: where programs
    /// have them. Others are bound when the walk meets them.
    fn walrus(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Named(named) => self.target(&named.target),
            Expr::Compare(compare) => self.walrus(&compare.left),
            Expr::UnaryOp(operation) => self.walrus(&operation.operand),
            // A method that changes how much its object holds binds the object anew, as far as its length goes.
            Expr::Call(call) => {
                if let Some(name) = mutated(call) {
                    self.bind(&name.id, name.range.start());
                }
            }
            _ => {}
        }
    }

    fn target(&mut self, target: &'a Expr) {
        match target {
            Expr::Name(name) => self.bind(&name.id, name.range.start()),
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|part| self.target(part)),
            Expr::List(list) => list.elts.iter().for_each(|part| self.target(part)),
            Expr::Starred(starred) => self.target(&starred.value),
            // `x[i] = …` and `x.y = …` may change what `x` holds, such as its length.
            Expr::Subscript(subscript) if subscript.slice.is_slice_expr() => self.target(&subscript.value),
            _ => {}
        }
    }

    fn pattern(&mut self, pattern: &'a Pattern) {
        let mut name = |name: &'a Option<ruff_python_ast::Identifier>| {
            if let Some(name) = name {
                self.bind(name, name.range.start());
            }
        };
        match pattern {
            Pattern::MatchValue(_) | Pattern::MatchSingleton(_) => {}
            Pattern::MatchStar(star) => name(&star.name),
            Pattern::MatchAs(bound) => {
                name(&bound.name);
                bound.pattern.iter().for_each(|inner| self.pattern(inner));
            }
            Pattern::MatchMapping(mapping) => {
                name(&mapping.rest);
                mapping.patterns.iter().for_each(|inner| self.pattern(inner));
            }
            Pattern::MatchSequence(sequence) => sequence.patterns.iter().for_each(|inner| self.pattern(inner)),
            Pattern::MatchOr(either) => either.patterns.iter().for_each(|inner| self.pattern(inner)),
            Pattern::MatchClass(class) => {
                class.arguments.patterns.iter().for_each(|inner| self.pattern(inner));
                class.arguments.keywords.iter().for_each(|keyword| self.pattern(&keyword.pattern));
            }
        }
    }
}

/// The name whose object a call changes the length of.
pub(super) fn mutated(call: &ruff_python_ast::ExprCall) -> Option<&ruff_python_ast::ExprName> {
    let Expr::Attribute(attribute) = &*call.func else { return None };
    let Expr::Name(name) = &*attribute.value else { return None };
    let changes = matches!(
        attribute.attr.as_str(),
        "add"
            | "append"
            | "appendleft"
            | "clear"
            | "discard"
            | "extend"
            | "extendleft"
            | "insert"
            | "pop"
            | "popitem"
            | "popleft"
            | "remove"
            | "setdefault"
            | "update"
    );
    changes.then_some(name)
}

/// Where an expression or statement begins.
pub(super) fn start(node: &impl Ranged) -> u32 {
    u32::from(node.range().start())
}
