//! Calls: of the program's own functions, of what its libraries offer, of built-in functions; and functions handed to
//! what will call them.

use forewarm_types::OpClass;
use ruff_python_ast::{self as ast, Expr};

use super::emit::{Emitter, Val};
use super::libraries;
use super::scope::start;
use super::statements::is_named;
use super::trips::{Trips, code};
use crate::program::{Expr as Number, NONE, Node};

/// Arguments told apart in a call.
const MAX_ARGUMENTS: usize = crate::frequency::MAX_ARGUMENTS;

/// Steps up a chain of base classes.
pub(super) const MAX_BASES: u32 = 16;

impl<'a> Emitter<'a, '_> {
    pub(super) fn call(&mut self, call: &'a ast::ExprCall) -> Val {
        let callee = self.callee(&call.func);
        // What is known of the first arguments; more than these matter to no one.
        let mut first = [Val::Unknown; MAX_ARGUMENTS];
        for (index, argument) in call.arguments.args.iter().enumerate() {
            let val = self.expr(argument);
            if let Some(place) = first.get_mut(index) {
                *place = val;
            }
        }
        let vals = &first[..call.arguments.args.len().min(MAX_ARGUMENTS)];
        for keyword in &call.arguments.keywords {
            let val = self.expr(&keyword.value);
            if let Val::Function(number) = val
                && !matches!(callee, Callee::Function(..))
            {
                self.callback(call, number, keyword.arg.as_deref(), &[]);
            }
        }
        self.work(OpClass::Other, u32::from(!call.arguments.keywords.is_empty()));
        self.work(OpClass::Call, 2);
        match callee {
            Callee::Function(number, receiver) => {
                self.call_function(number, receiver, call, vals);
                Val::Int(self.opaque(crate::values::Source::Call))
            }
            Callee::Class(class) => {
                if let Some(init) = self.sheet.method(class, "__init__", MAX_BASES) {
                    self.call_function(init, true, call, vals);
                }
                Val::Instance(class)
            }
            Callee::Path(path) => {
                self.pass_functions(call, vals);
                self.outside(call, path, vals)
            }
            Callee::Builtin(name) => {
                self.pass_functions(call, vals);
                self.builtin(call, name, vals)
            }
            Callee::Unknown => {
                self.pass_functions(call, vals);
                Val::Unknown
            }
        }
    }

    fn callee(&mut self, func: &'a Expr) -> Callee<'a> {
        if let Expr::Name(name) = func
            && self.is_builtin(&name.id)
        {
            self.work(OpClass::Global, 1);
            return Callee::Builtin(&name.id);
        }
        let Expr::Attribute(attribute) = func else {
            return match self.expr(func) {
                Val::Function(number) => Callee::Function(number, false),
                Val::Class(class) => Callee::Class(class),
                Val::Path(path) => Callee::Path(path),
                _ => Callee::Unknown,
            };
        };
        // `super().method()`.
        let parent = matches!(&*attribute.value, Expr::Call(inner) if is_named(&inner.func, "super"));
        let base = self.expr(&attribute.value);
        self.work(OpClass::Load, 1);
        if parent && let Some(class) = self.class {
            let bases = self.sheet.classes.get(class as usize).map(|class| class.bases.clone()).unwrap_or_default();
            let found = bases.iter().find_map(|&base| self.sheet.method(base, &attribute.attr, MAX_BASES));
            return found.map_or(Callee::Unknown, |number| Callee::Function(number, true));
        }
        match base {
            Val::Object(path) => match self.member(path, &attribute.attr.id) {
                Val::Path(path) => Callee::Path(path),
                _ => Callee::Unknown,
            },
            Val::Unknown | Val::Int(_) => match self.sheet.methods.get(attribute.attr.as_str()) {
                // Only one class of the program has such a method, and no built-in type does.
                Some(&number) if number != NONE && !of_builtin_types(&attribute.attr) => Callee::Function(number, true),
                _ => Callee::Unknown,
            },
            base => match self.attribute(base, &attribute.attr.id) {
                Val::Function(number) => Callee::Function(number, !matches!(base, Val::Path(_) | Val::Class(_))),
                Val::Class(class) => Callee::Class(class),
                Val::Path(path) => Callee::Path(path),
                _ => Callee::Unknown,
            },
        }
    }

    /// Calls a function of this program; a method's receiver comes before its arguments.
    fn call_function(&mut self, number: u32, receiver: bool, call: &'a ast::ExprCall, vals: &[Val]) {
        let starred = call.arguments.args.iter().position(Expr::is_starred_expr).unwrap_or(vals.len());
        let known = vals.iter().take(starred).map(|val| match val {
            Val::Int(expr) => *expr,
            _ => NONE,
        });
        let mut list = [NONE; MAX_ARGUMENTS];
        let mut length = 0;
        for expr in receiver.then_some(NONE).into_iter().chain(known).take(MAX_ARGUMENTS) {
            list[length] = expr;
            length += 1;
        }
        length = self.keyword_arguments(number, call, &mut list).max(length);
        list.iter().filter(|&&expr| expr != NONE).for_each(|&expr| {
            self.depends(expr, 8);
        });
        let index = self.sheet.forest.args.len() as u32;
        self.sheet.forest.args.push(length as u32);
        self.sheet.forest.args.extend(&list[..length]);
        self.node(Node::Call { function: number, args: index });
    }

    /// Arguments passed by name, where the function is known by its definition; how many places are in use.
    fn keyword_arguments(&mut self, number: u32, call: &'a ast::ExprCall, list: &mut [u32; MAX_ARGUMENTS]) -> usize {
        if call.arguments.keywords.is_empty() {
            return 0;
        }
        let Some(params) = self.sheet.parameters.get(&number).cloned() else { return 0 };
        let mut used = 0;
        for keyword in &call.arguments.keywords {
            let Some(name) = &keyword.arg else { continue };
            let Some(place) = params.iter().position(|param| *param == name.id).filter(|&place| place < MAX_ARGUMENTS)
            else {
                continue;
            };
            if let Val::Int(expr) = self.peek(&keyword.value) {
                list[place] = expr;
                used = used.max(place + 1);
            }
        }
        used
    }

    /// Functions given to something that will call them.
    fn pass_functions(&mut self, call: &'a ast::ExprCall, vals: &[Val]) {
        for (index, val) in vals.iter().enumerate() {
            if let Val::Function(number) = val {
                let rest = call.arguments.args.get(index + 1..).unwrap_or_default();
                self.callback(call, *number, None, rest);
            }
        }
    }

    /// A function that the callee calls: once for each item where it maps, else once.
    fn callback(&mut self, call: &'a ast::ExprCall, number: u32, keyword: Option<&str>, rest: &'a [Expr]) {
        let name = match &*call.func {
            Expr::Name(name) => name.id.as_str(),
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            _ => "",
        };
        let maps = matches!(name, "map" | "imap" | "imap_unordered" | "starmap" | "filter" | "reduce" | "apply");
        if !maps && keyword != Some("key") {
            self.node(Node::Call { function: number, args: NONE });
            return;
        }
        let items = match rest.first().or_else(|| call.arguments.args.first().filter(|_| keyword.is_some())) {
            Some(Expr::Call(inner)) if is_named(&inner.func, "range") => match &inner.arguments.args[..] {
                [to] => self.peek(to),
                _ => Val::Unknown,
            },
            Some(items) => match self.peek(items) {
                Val::Items(count) => Val::Int(count),
                _ => Val::Unknown,
            },
            None => Val::Unknown,
        };
        let trips = match items {
            Val::Int(count) => Trips { range: Some((self.constant(0), count, 1)), ..Trips::default() },
            _ => Trips::default(),
        };
        let at = (start(call), start(call) + 1);
        let exit = self.open_loop(&trips, start(call), at, false);
        self.node(Node::Call { function: number, args: NONE });
        self.close_loop(None);
        self.exit_loop(exit);
    }

    /// A call of something imported that is not of this program.
    fn outside(&mut self, call: &'a ast::ExprCall, path: u32, vals: &[Val]) -> Val {
        let text = self.sheet.path(path);
        if let Some(module) = self.import_call(call, &text) {
            return Val::Path(module);
        }
        self.memory_flags_in(call, &text);
        let meaning = self.sheet.meaning(path);
        if let Some(kind) = meaning.service {
            let host = self.sheet.host(&text, kind);
            self.node(Node::Call { function: host, args: NONE });
        }
        if let Some(library) = meaning.library {
            self.note_use(library, &text, start(call));
            return Val::Object(path);
        }
        match (&*text, vals) {
            ("math.prod" | "math.factorial" | "math.isqrt" | "random.randint" | "random.randrange", _) => {
                self.unknown_number()
            }
            ("itertools.repeat", [_, Val::Int(count)]) => Val::Items(*count),
            ("itertools.product", [Val::Items(a), Val::Items(b)]) => Val::Items(self.operation(code::MUL, *a, *b)),
            ("itertools.product", [Val::Items(a)]) => Val::Items(*a),
            ("itertools.chain", [Val::Items(a), Val::Items(b)]) => Val::Items(self.operation(code::ADD, *a, *b)),
            _ => Val::Unknown,
        }
    }

    fn builtin(&mut self, call: &'a ast::ExprCall, name: &str, vals: &[Val]) -> Val {
        if let Some(module) = self.import_call(call, name) {
            // `__import__("a.b")` gives the package above.
            let path = self.sheet.path(module);
            return Val::Path(self.sheet.intern(path.split('.').next().unwrap_or(&path)));
        }
        if let Some(kind) = libraries::service(name) {
            let host = self.sheet.host(name, kind);
            self.node(Node::Call { function: host, args: NONE });
        }
        match (name, vals) {
            ("len", [Val::Items(count)]) => Val::Int(*count),
            ("len" | "ord" | "hash" | "id" | "round", _) => self.unknown_number(),
            ("int", [Val::Int(value)]) => Val::Int(*value),
            ("int", _) => self.unknown_number(),
            ("range", _) => match vals {
                [Val::Int(count)] => Val::Items(*count),
                [Val::Int(from), Val::Int(to)] => Val::Items(self.operation(code::SUB, *to, *from)),
                _ => Val::Unknown,
            },
            ("list" | "tuple" | "sorted" | "reversed" | "enumerate" | "iter" | "map" | "bytes" | "bytearray", _) => {
                match vals.iter().find(|val| matches!(val, Val::Items(_))) {
                    Some(Val::Items(count)) => Val::Items(*count),
                    _ if matches!(name, "bytes" | "bytearray") => match vals {
                        [Val::Int(count)] => Val::Items(*count),
                        _ => Val::Unknown,
                    },
                    _ => Val::Unknown,
                }
            }
            ("zip", _) => self.shortest(vals),
            ("min" | "max", [Val::Int(a), Val::Int(b)]) => match (self.as_constant(*a), self.as_constant(*b)) {
                (Some(a), Some(b)) => Val::Int(self.constant(if name == "min" { a.min(b) } else { a.max(b) })),
                _ => Val::Int(self.push_expr(Number::Either(*a, *b))),
            },
            ("abs", [Val::Int(value)]) => match self.as_constant(*value) {
                Some(value) => Val::Int(self.constant(value.saturating_abs())),
                None => self.unknown_number(),
            },
            _ => Val::Unknown,
        }
    }

    /// `zip` ends with the shortest; where one length is unknown so is the whole.
    fn shortest(&mut self, vals: &[Val]) -> Val {
        let counts: Option<Vec<u32>> = vals
            .iter()
            .map(|val| match val {
                Val::Items(count) => Some(*count),
                _ => None,
            })
            .collect();
        let Some(counts) = counts.filter(|counts| !counts.is_empty()) else { return Val::Unknown };
        if counts.iter().all(|count| *count == counts[0]) {
            return Val::Items(counts[0]);
        }
        let constants: Option<Vec<i64>> = counts.iter().map(|&count| self.as_constant(count)).collect();
        match constants.and_then(|constants| constants.into_iter().min()) {
            Some(least) => Val::Items(self.constant(least)),
            None => Val::Unknown,
        }
    }
}

/// What a call calls.
enum Callee<'a> {
    /// A function of the program; whether a receiver goes before the arguments.
    Function(u32, bool),
    Class(u32),
    Path(u32),
    Builtin(&'a str),
    Unknown,
}

/// Method names that lists, dictionaries, sets, strings and files have, so that a call of one tells no class.
fn of_builtin_types(name: &str) -> bool {
    const NAMES: [&str; 62] = [
        "add",
        "append",
        "cancel",
        "clear",
        "close",
        "copy",
        "count",
        "decode",
        "discard",
        "done",
        "encode",
        "endswith",
        "execute",
        "exists",
        "extend",
        "fetchall",
        "fetchone",
        "find",
        "flush",
        "format",
        "get",
        "group",
        "index",
        "info",
        "insert",
        "is_alive",
        "isdigit",
        "items",
        "join",
        "keys",
        "lower",
        "map",
        "match",
        "open",
        "partition",
        "pop",
        "popitem",
        "put",
        "read",
        "readline",
        "remove",
        "replace",
        "result",
        "reverse",
        "run",
        "search",
        "seek",
        "send",
        "set",
        "setdefault",
        "shutdown",
        "sort",
        "split",
        "start",
        "startswith",
        "stop",
        "strip",
        "submit",
        "sum",
        "update",
        "values",
        "write",
    ];
    name.starts_with("__") || NAMES.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn method_names_of_builtin_types_are_found() {
        assert!(
            super::of_builtin_types("append") && super::of_builtin_types("write") && super::of_builtin_types("add")
        );
        assert!(!super::of_builtin_types("simulate"));
    }
}
