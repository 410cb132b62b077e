//! Laying out Python functions as trees: what is shared by a program's files, and the state of the function being laid
//! out. Statements, expressions and trip counts have a file each.

use std::rc::Rc;

use forewarm_types::OpClass;
use forewarm_types::demand::IoKind;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::imports::Found;
use super::scope::{self, Scope};
use crate::mix::Tally;
use crate::program::{Cond, Definition, Expr, Forest, Function, NONE, Node};
use crate::values::Source;
use forewarm_types::python::MemoryFlag;
use ruff_python_ast as ast;

/// What a name or expression is known to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Val {
    Unknown,
    /// An integer, as an expression of the function's forest.
    Int(u32),
    /// A sequence of so many items.
    Items(u32),
    /// A function of this program.
    Function(u32),
    /// A class of this program.
    Class(u32),
    /// An object of such a class.
    Instance(u32),
    /// A module, or something a module offers, by its dotted name.
    Path(u32),
    /// What a library returned, by the dotted name of what was called.
    Object(u32),
}

/// A value that means the same in every function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fixed {
    Int(i64),
    Items(i64),
    Function(u32),
    Class(u32),
    Instance(u32),
    Path(u32),
    Object(u32),
}

/// A function of the program, for people.
#[derive(Debug, Clone, Default)]
pub(super) struct Def {
    pub name: String,
    /// The file it stands in, by number.
    pub file: u32,
    pub offset: u32,
}

/// A class.
#[derive(Debug, Default)]
pub(super) struct Class {
    pub name: String,
    pub methods: FxHashMap<String, u32>,
    pub bases: Vec<u32>,
}

/// What is known of a loop besides its trip count.
#[derive(Debug, Default, Clone)]
pub(super) struct LoopNote {
    pub text: Option<String>,
    /// What its iterations share, where that is evident.
    pub dependence: Option<forewarm_types::demand::Dependence>,
    /// Arithmetic on numbers, one at a time.
    pub arithmetic: u32,
    /// Libraries called in it.
    pub libraries: Vec<&'static super::libraries::Library>,
}

/// A place where a library is used.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Use {
    pub library: &'static super::libraries::Library,
    pub call: String,
    pub function: u32,
    pub file: u32,
    pub offset: u32,
    pub places: u32,
    pub in_loop: bool,
}

/// What all files of a program make together.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub forest: Forest,
    pub functions: Vec<Definition>,
    /// Definitions by function number; host functions have none.
    pub defs: FxHashMap<u32, Def>,
    pub classes: Vec<Class>,
    /// Methods by name: the function, or `NONE` where several classes have one.
    pub methods: FxHashMap<String, u32>,
    /// Notes on loops, by their index in the forest.
    pub notes: Vec<LoopNote>,
    pub uses: FxHashMap<(u32, String), Use>,
    pub imports: Vec<Found>,
    pub memory_flags: Vec<(u32, MemoryFlag, u32)>,
    /// Names of parameters, in order.
    pub parameters: FxHashMap<u32, Rc<[ast::name::Name]>>,
    /// Dotted names by the one before the last dot and the last part.
    pub members: FxHashMap<(u32, ast::name::Name), u32>,
    pub hosts: FxHashMap<String, (u32, IoKind)>,
    /// What each local module offers.
    pub modules: FxHashMap<String, FxHashMap<String, Fixed>>,
    paths: Vec<Path>,
    path_numbers: FxHashMap<Rc<str>, u32>,
}

/// A dotted name, with what is known of it where that was asked.
#[derive(Debug)]
struct Path {
    text: Rc<str>,
    meaning: Option<Meaning>,
}

/// What a dotted name stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meaning {
    pub library: Option<&'static super::libraries::Library>,
    pub service: Option<IoKind>,
}

impl Sheet {
    pub(super) fn path(&self, number: u32) -> Rc<str> {
        self.paths.get(number as usize).map_or_else(|| Rc::from(""), |path| Rc::clone(&path.text))
    }

    pub(super) fn meaning(&mut self, number: u32) -> Meaning {
        let Some(path) = self.paths.get_mut(number as usize) else { return Meaning { library: None, service: None } };
        *path.meaning.get_or_insert_with(|| Meaning {
            library: super::libraries::find(&path.text).filter(|_| !super::libraries::incidental(&path.text)),
            service: super::libraries::service(&path.text),
        })
    }

    pub(super) fn intern(&mut self, path: &str) -> u32 {
        if let Some(&number) = self.path_numbers.get(path) {
            return number;
        }
        let number = self.paths.len() as u32;
        let path: Rc<str> = Rc::from(path);
        self.paths.push(Path { text: Rc::clone(&path), meaning: None });
        self.path_numbers.insert(path, number);
        number
    }

    /// A number for a function yet to be laid out.
    pub(super) fn declare(&mut self, def: Def) -> u32 {
        let number = self.functions.len() as u32;
        self.functions.push(Definition::Body { forest: 0, function: Function::default() });
        self.defs.insert(number, def);
        number
    }

    /// The number of a host service.
    pub(super) fn host(&mut self, path: &str, kind: IoKind) -> u32 {
        if let Some(&(number, _)) = self.hosts.get(path) {
            return number;
        }
        let number = self.functions.len() as u32;
        self.functions.push(Definition::Host);
        self.hosts.insert(path.to_owned(), (number, kind));
        number
    }

    /// A method by name, of a class or what it inherits from.
    pub(super) fn method(&self, class: u32, name: &str, steps: u32) -> Option<u32> {
        let class = self.classes.get(class as usize)?;
        if let Some(&found) = class.methods.get(name) {
            return Some(found);
        }
        let deeper = steps.checked_sub(1)?;
        class.bases.iter().find_map(|&base| self.method(base, name, deeper))
    }
}

/// What names mean in the functions around one.
pub(super) struct Outer<'a> {
    pub names: FxHashMap<&'a str, Fixed>,
    pub beyond: Option<Rc<Outer<'a>>>,
}

impl Outer<'_> {
    fn get(&self, name: &str) -> Option<Fixed> {
        let mut outer = self;
        loop {
            if let Some(&fixed) = outer.names.get(name) {
                return Some(fixed);
            }
            outer = outer.beyond.as_deref()?;
        }
    }
}

/// A function whose body waits to be laid out.
pub(super) struct Deferred<'a> {
    pub number: u32,
    pub body: Body<'a>,
    pub class: Option<u32>,
    pub outer: Option<Rc<Outer<'a>>>,
}

/// The body of a function.
#[derive(Clone, Copy)]
pub(super) enum Body<'a> {
    Def(&'a ast::StmtFunctionDef),
    Lambda(&'a ast::ExprLambda),
}

/// The file being laid out.
pub(super) struct FileFacts<'a> {
    pub number: u32,
    pub text: &'a str,
    /// Whether it is what is run: its `__name__` is `__main__`.
    pub main: bool,
    /// Its package, for relative imports.
    pub package: &'a str,
    /// Names bound at module level that mean the same everywhere.
    pub globals: FxHashMap<&'a str, Fixed>,
    pub version: Option<(u32, u32)>,
}

/// A value and where it was bound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub val: Val,
    pub at: u32,
}

/// A loop that is open.
pub(super) struct OpenLoop {
    pub index: u32,
    pub start: u32,
    pub end: u32,
    /// Frames that `break` and `continue` go to.
    pub exit: u32,
    pub next: u32,
    pub early: bool,
}

/// The layout of one function.
pub(super) struct Emitter<'a, 's> {
    pub sheet: &'s mut Sheet,
    pub file: &'s FileFacts<'a>,
    pub number: u32,
    pub class: Option<u32>,
    pub module_level: bool,
    pub scope: Scope<'a>,
    pub names: FxHashMap<&'a str, Slot>,
    pub outer: Option<Rc<Outer<'a>>>,
    pub deferred: &'s mut Vec<Deferred<'a>>,
    pub tally: Tally,
    pub ops: u32,
    pub total_ops: u32,
    /// Open frames.
    pub frames: u32,
    pub loops: Vec<OpenLoop>,
    /// Frames that an exception goes to.
    pub catches: Vec<u32>,
    /// Names bound since the function began, in order, and what they were before, so that it can be taken back.
    pub log: Vec<(&'a str, Option<Slot>)>,
    pub sensitive: u64,
    /// Names that stand for texts of a literal: for one, for several, or for one after the other.
    pub texts: FxHashMap<&'a str, &'a ast::Expr>,
    /// How certain it is that the code at hand runs: see [`super::imports::Found`].
    pub conditional: u32,
    pub optional: u32,
    pub never: u32,
    first: Function,
}

impl<'a, 's> Emitter<'a, 's> {
    pub(super) fn new(
        sheet: &'s mut Sheet,
        file: &'s FileFacts<'a>,
        deferred: &'s mut Vec<Deferred<'a>>,
        number: u32,
        scope: Scope<'a>,
    ) -> Self {
        let forest = &sheet.forest;
        let first = Function {
            nodes: forest.nodes.len() as u32..0,
            loops: forest.loops.len() as u32..0,
            conds: forest.conds.len() as u32,
            exprs: forest.exprs.len() as u32,
            ..Function::default()
        };
        let names = FxHashMap::with_capacity_and_hasher(scope.names.len(), FxBuildHasher);
        Self {
            sheet,
            file,
            number,
            class: None,
            module_level: false,
            scope,
            names,
            outer: None,
            deferred,
            tally: Tally::default(),
            ops: 0,
            total_ops: 0,
            frames: 0,
            loops: Vec::new(),
            catches: Vec::new(),
            log: Vec::new(),
            sensitive: 0,
            texts: FxHashMap::default(),
            conditional: 0,
            optional: 0,
            never: 0,
            first,
        }
    }

    /// Ends the function and puts its tree in its place.
    pub(super) fn finish(&mut self) {
        self.flush();
        let forest = &self.sheet.forest;
        let function = Function {
            nodes: self.first.nodes.start..forest.nodes.len() as u32,
            loops: self.first.loops.start..forest.loops.len() as u32,
            sensitive: self.sensitive,
            static_ops: self.total_ops,
            detailed: true,
            classes: true,
            ..self.first.clone()
        };
        if let Some(place) = self.sheet.functions.get_mut(self.number as usize) {
            *place = Definition::Body { forest: 0, function };
        }
    }

    /// Counts operations of a class.
    #[inline]
    pub(super) fn work(&mut self, class: OpClass, count: u32) {
        self.tally.add(class as usize, count);
        self.ops += count;
    }

    /// Writes what was counted.
    pub(super) fn flush(&mut self) {
        if self.ops > 0 {
            let ops = std::mem::take(&mut self.ops);
            self.total_ops = self.total_ops.saturating_add(ops);
            let mix = self.tally.flush(&mut self.sheet.forest.mixes);
            self.sheet.forest.nodes.push(Node::Work { ops, mix });
        }
    }

    pub(super) fn node(&mut self, node: Node) {
        self.flush();
        self.sheet.forest.nodes.push(node);
    }

    /// Opens a frame; its number, for [`Self::branch`].
    pub(super) fn open(&mut self, node: Node) -> u32 {
        self.node(node);
        self.frames += 1;
        self.frames - 1
    }

    pub(super) fn close(&mut self) {
        self.node(Node::End);
        self.frames -= 1;
    }

    pub(super) fn branch(&mut self, frame: u32) {
        let depth = self.frames - 1 - frame;
        self.node(Node::Br(depth));
    }

    pub(super) fn push_expr(&mut self, expr: Expr) -> u32 {
        self.sheet.forest.exprs.push(expr);
        self.sheet.forest.exprs.len() as u32 - 1
    }

    pub(super) fn constant(&mut self, value: i64) -> u32 {
        self.push_expr(Expr::Const(value))
    }

    pub(super) fn opaque(&mut self, source: Source) -> u32 {
        self.push_expr(Expr::Opaque { source })
    }

    pub(super) fn as_constant(&self, expr: u32) -> Option<i64> {
        match self.sheet.forest.exprs.get(expr as usize) {
            Some(&Expr::Const(value)) => Some(value),
            _ => None,
        }
    }

    /// A condition: by an expression where one tells, else by a chance.
    pub(super) fn cond(&mut self, expr: Option<u32>, chance: f64) -> u32 {
        if let Some(expr) = expr {
            self.depends(expr, 8);
        }
        self.sheet.forest.conds.push(Cond { expr: expr.unwrap_or(NONE), chance: chance as f32, leaves: false });
        self.sheet.forest.conds.len() as u32 - 1
    }

    /// Notes the parameters that an expression depends on; whether it depends on a loop's variable.
    pub(super) fn depends(&mut self, expr: u32, steps: u32) -> bool {
        let Some(steps) = steps.checked_sub(1) else { return true };
        match self.sheet.forest.exprs.get(expr as usize).copied() {
            Some(Expr::Param(index)) => {
                self.sensitive |= 1_u64.checked_shl(index).unwrap_or(0);
                false
            }
            Some(Expr::Phi(phi)) => {
                if let Some(phi) = self.sheet.forest.phis.get(phi as usize).copied() {
                    self.depends(phi.init, steps);
                }
                true
            }
            Some(Expr::Linear { x, .. }) => self.depends(x, steps),
            Some(Expr::Operation { a, b, .. } | Expr::Either(a, b) | Expr::Choose { a, b, .. }) => {
                let (a, b) = (self.depends(a, steps), self.depends(b, steps));
                a || b
            }
            _ => false,
        }
    }

    /// Binds a name to a value here.
    pub(super) fn bind(&mut self, name: &'a str, at: u32, val: Val) {
        let before = self.names.insert(name, Slot { val, at });
        self.log.push((name, before));
        self.texts.remove(name);
    }

    /// Makes names again what they were at a mark: what was bound since lies in a namespace of its own.
    pub(super) fn restore(&mut self, mark: usize) {
        while self.log.len() > mark {
            match self.log.pop() {
                Some((name, Some(before))) => self.names.insert(name, before),
                Some((name, None)) => self.names.remove(name),
                None => None,
            };
        }
    }

    /// Forgets what was bound since a mark: it happened on one way out of several.
    pub(super) fn forget_since(&mut self, mark: usize) {
        for index in mark..self.log.len() {
            if let Some(slot) = self.names.get_mut(self.log[index].0) {
                // Modules, functions and classes bound on several ways are alternatives for the same thing.
                if matches!(slot.val, Val::Int(_) | Val::Items(_) | Val::Instance(_) | Val::Object(_)) {
                    slot.val = Val::Unknown;
                }
            }
        }
    }

    /// What a name is, where it is used.
    pub(super) fn look_up(&mut self, name: &str, at: u32) -> Val {
        if let Some(&Slot { val, at: bound }) = self.names.get(name) {
            let changing = |open: &OpenLoop| {
                bound < open.start && open.start <= at && self.scope.bound_within(name, open.start, open.end)
            };
            let fixed = matches!(val, Val::Path(_) | Val::Function(_) | Val::Class(_) | Val::Unknown);
            return if !fixed && self.loops.iter().any(changing) { Val::Unknown } else { val };
        }
        if !self.module_level && self.scope.names.contains_key(name) && !self.scope.outer.contains(&name) {
            return Val::Unknown;
        }
        let outer = self.outer.as_ref().and_then(|outer| outer.get(name));
        match outer.or_else(|| self.file.globals.get(name).copied()) {
            Some(fixed) => self.unfix(fixed),
            None => Val::Unknown,
        }
    }

    /// Whether a name is a built-in here: bound nowhere in sight.
    pub(super) fn is_builtin(&self, name: &str) -> bool {
        let bound = self.scope.names.contains_key(name)
            || self.names.contains_key(name)
            || self.outer.as_ref().is_some_and(|outer| outer.get(name).is_some())
            || self.file.globals.contains_key(name);
        !bound
    }

    pub(super) fn unfix(&mut self, fixed: Fixed) -> Val {
        match fixed {
            Fixed::Int(value) => Val::Int(self.constant(value)),
            Fixed::Items(value) => Val::Items(self.constant(value)),
            Fixed::Function(number) => Val::Function(number),
            Fixed::Class(number) => Val::Class(number),
            Fixed::Instance(number) => Val::Instance(number),
            Fixed::Path(number) => Val::Path(number),
            Fixed::Object(number) => Val::Object(number),
        }
    }

    /// What the names bound here mean to functions that use them: only what cannot have changed.
    pub(super) fn fixed(&self) -> FxHashMap<&'a str, Fixed> {
        let fix = |(&name, slot): (&&'a str, &Slot)| {
            let once = self.scope.names.get(name).is_none_or(|bound| bound.count == 1);
            let fixed = match slot.val {
                Val::Int(expr) if once => Fixed::Int(self.as_constant(expr)?),
                Val::Items(expr) if once => Fixed::Items(self.as_constant(expr)?),
                Val::Instance(class) if once => Fixed::Instance(class),
                Val::Object(path) if once => Fixed::Object(path),
                Val::Function(number) => Fixed::Function(number),
                Val::Class(number) => Fixed::Class(number),
                Val::Path(number) => Fixed::Path(number),
                _ => return None,
            };
            Some((name, fixed))
        };
        self.names.iter().filter_map(fix).collect()
    }

    /// Notes the use of a library.
    pub(super) fn note_use(&mut self, library: &'static super::libraries::Library, call: &str, at: u32) {
        let in_loop = !self.loops.is_empty();
        if let Some(open) = self.loops.last()
            && let Some(note) = self.sheet.notes.get_mut(open.index as usize)
            && !note.libraries.contains(&library)
        {
            note.libraries.push(library);
        }
        let entry = self.sheet.uses.entry((self.number, call.to_owned())).or_insert_with(|| Use {
            library,
            call: call.to_owned(),
            function: self.number,
            file: self.file.number,
            offset: at,
            places: 0,
            in_loop: false,
        });
        entry.places += 1;
        entry.in_loop |= in_loop;
    }

    /// Declares a function met here and puts it off.
    pub(super) fn defer(&mut self, name: String, offset: u32, body: Body<'a>, class: Option<u32>) -> u32 {
        let number = self.sheet.declare(Def { name, file: self.file.number, offset });
        if let Body::Def(def) = body {
            let names = def.parameters.iter_non_variadic_params();
            let names = names.map(|parameter| parameter.parameter.name.id.clone()).collect();
            self.sheet.parameters.insert(number, names);
        }
        self.deferred.push(Deferred { number, body, class, outer: None });
        number
    }

    /// Puts a function's parameters in place.
    pub(super) fn bind_parameters(&mut self, parameters: &'a ast::Parameters) {
        for (index, parameter) in parameters.iter_non_variadic_params().enumerate() {
            let name = parameter.parameter.name.as_str();
            let at = scope::start(&parameter.parameter);
            self.scope.bind(name, ruff_text_size::TextSize::from(at));
            let val = match (index, self.class) {
                (0, Some(class)) => Val::Instance(class),
                _ => Val::Int(self.push_expr(Expr::Param(index as u32))),
            };
            self.names.insert(name, Slot { val, at });
        }
        for parameter in parameters.vararg.iter().chain(&parameters.kwarg) {
            let at = scope::start(&**parameter);
            self.scope.bind(&parameter.name, ruff_text_size::TextSize::from(at));
            self.names.insert(&parameter.name, Slot { val: Val::Unknown, at });
        }
    }
}
