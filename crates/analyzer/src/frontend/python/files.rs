//! The files of a program: the one given, and those beside it that it imports, each laid out after those it imports.

use std::borrow::Cow;
use std::collections::HashSet;
use std::rc::Rc;

use forewarm_types::python::ImportOrigin;
use ruff_python_ast::Stmt;
use ruff_python_ast::statement_visitor::{StatementVisitor, walk_stmt};
use rustc_hash::FxHashMap;

use super::emit::{Body, Def, Deferred, Emitter, FileFacts, Fixed, Outer, Sheet};
use super::imports::absolute;
use super::scan::scan;
use super::scope::Scope;
use super::source;
use crate::environment::{Environment, ModuleForm};
use crate::error::AnalyzeError;

/// Files beside a program that are followed. A default; a function's package rarely has more.
const MAX_FILES: usize = 500;

/// A file of the program.
pub(super) struct File {
    /// Its module's name; empty for the one given.
    pub module: String,
    /// As people know it.
    pub label: String,
    pub text: String,
    /// The number of the function that is its top level.
    pub top: u32,
}

/// The program's files and what they make together.
#[derive(Default)]
pub(super) struct Files {
    pub files: Vec<File>,
    pub sheet: Sheet,
    /// Files beside the program that could not be understood, and why.
    pub broken: Vec<String>,
    /// What the file given offers.
    pub globals: FxHashMap<String, Fixed>,
}

/// Reads the given file and all local ones it imports.
///
/// # Errors
/// Where the given file cannot be parsed; others are noted in [`Files::broken`].
pub(super) fn read(
    bytes: &[u8],
    name: &str,
    main: bool,
    environment: &dyn Environment,
    version: Option<(u32, u32)>,
) -> Result<Files, AnalyzeError> {
    let mut files = Files::default();
    let text = source::decode(bytes, name)?;
    let top = source::with_tree(&text, name, |tree| {
        let mut statements = Statements::default();
        statements.visit_body(&tree.body);
        let mut order: Vec<Local> = Vec::new();
        gather(local(&statements.found, "", environment), environment, version, &mut order);
        for local in order {
            // A local file that is broken is its importer's trouble when it runs; the rest is still worth knowing.
            if let Err(error) = files.lay_out(local, version) {
                files.broken.push(error.to_string());
            }
        }
        let number = files.files.len() as u32;
        let top = files.sheet.declare(Def { name: "<module>".to_owned(), file: number, offset: 0 });
        let facts = FileFacts { number, text: &text, main, package: "", globals: FxHashMap::default(), version };
        files.globals = lay_out_tree(&mut files.sheet, facts, top, &tree.body);
        Ok(top)
    })?;
    files.files.push(File { module: String::new(), label: name.to_owned(), text: text.into_owned(), top });
    Ok(files)
}

/// A file beside the program.
struct Local {
    module: String,
    path: String,
    text: String,
    package: String,
}

/// The import statements of a tree.
#[derive(Default)]
struct Statements {
    found: Vec<(u32, String, Vec<String>)>,
}

impl StatementVisitor<'_> for Statements {
    fn visit_stmt(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Import(import) => {
                self.found.extend(import.names.iter().map(|alias| (0, alias.name.to_string(), Vec::new())));
            }
            Stmt::ImportFrom(import) => {
                let module = import.module.as_ref().map(ToString::to_string).unwrap_or_default();
                let names = import.names.iter().map(|alias| alias.name.to_string()).collect();
                self.found.push((import.level, module, names));
            }
            other => walk_stmt(self, other),
        }
    }
}

/// Local modules that imports name.
fn local(imports: &[(u32, String, Vec<String>)], package: &str, environment: &dyn Environment) -> Vec<String> {
    let mut out = Vec::new();
    let mut seen = HashSet::new();
    let mut add = |module: &str| {
        // A module brings the packages above it.
        let mut end = 0;
        while end < module.len() {
            end = module[end + 1..].find('.').map_or(module.len(), |dot| end + 1 + dot);
            let part = &module[..end];
            if environment.find(part).is_none_or(|file| file.origin != ImportOrigin::Local) {
                return;
            }
            if seen.insert(part.to_owned()) {
                out.push(part.to_owned());
            }
        }
    };
    for (level, module, names) in imports {
        let Some(module) = absolute(package, *level, module) else { continue };
        add(&module);
        names.iter().filter(|name| *name != "*").for_each(|name| add(&format!("{module}.{name}")));
    }
    out
}

/// Local modules, those that others import before them.
fn gather(roots: Vec<String>, environment: &dyn Environment, version: Option<(u32, u32)>, order: &mut Vec<Local>) {
    let mut seen: HashSet<String> = HashSet::new();
    let mut path: Vec<(Option<Local>, Vec<String>)> = vec![(None, roots)];
    while let Some((_, waiting)) = path.last_mut() {
        let Some(module) = waiting.pop() else {
            if let Some((Some(file), _)) = path.pop() {
                order.push(file);
            }
            continue;
        };
        if seen.len() >= MAX_FILES || !seen.insert(module.clone()) {
            continue;
        }
        let Some(file) = environment.find(&module).filter(|file| file.form == ModuleForm::Source) else { continue };
        let Some(bytes) = environment.read(&file.path) else { continue };
        let Ok(text) = source::decode(&bytes, &file.path).map(Cow::into_owned) else { continue };
        let package = match (file.package, module.rsplit_once('.')) {
            (true, _) => module.clone(),
            (false, Some((parent, _))) => parent.to_owned(),
            (false, None) => String::new(),
        };
        let scanned = scan(text.as_bytes(), version);
        let imports: Vec<_> = scanned.into_iter().map(|found| (found.level, found.module, found.names)).collect();
        let waiting = local(&imports, &package, environment);
        path.push((Some(Local { module, path: file.path, text, package }), waiting));
    }
}

impl Files {
    fn lay_out(&mut self, local: Local, version: Option<(u32, u32)>) -> Result<(), AnalyzeError> {
        let Local { module, path, text, package } = local;
        let number = self.files.len() as u32;
        let sheet = &mut self.sheet;
        let (top, offers) = source::with_tree(&text, &path, |tree| {
            let top = sheet.declare(Def { name: format!("<module {module}>"), file: number, offset: 0 });
            let globals = FxHashMap::default();
            let facts = FileFacts { number, text: &text, main: false, package: &package, globals, version };
            Ok((top, lay_out_tree(sheet, facts, top, &tree.body)))
        })?;
        self.sheet.modules.insert(module.clone(), offers);
        self.files.push(File { module, label: path, text, top });
        Ok(())
    }
}

/// Lays out a file's top level, then its functions; returns what the file offers to others.
fn lay_out_tree<'a>(
    sheet: &mut Sheet,
    mut file: FileFacts<'a>,
    top: u32,
    body: &'a [ruff_python_ast::Stmt],
) -> FxHashMap<String, Fixed> {
    let mut waiting: Vec<Deferred<'a>> = Vec::new();
    let mut emitter = Emitter::new(sheet, &file, &mut waiting, top, Scope::of(body));
    emitter.module_level = true;
    emitter.suite(body);
    emitter.finish();
    let globals = emitter.fixed();
    file.globals = globals;
    while let Some(deferred) = waiting.pop() {
        let mut inner: Vec<Deferred<'a>> = Vec::new();
        let names = function(sheet, &file, &mut inner, &deferred);
        if inner.is_empty() {
            continue;
        }
        let outer = Rc::new(Outer { names, beyond: deferred.outer });
        waiting.extend(inner.into_iter().map(|inner| Deferred { outer: Some(Rc::clone(&outer)), ..inner }));
    }
    file.globals.into_iter().map(|(name, fixed)| (name.to_owned(), fixed)).collect()
}

/// Lays out one function; what its names mean to functions inside it.
fn function<'a>(
    sheet: &mut Sheet,
    file: &FileFacts<'a>,
    inner: &mut Vec<Deferred<'a>>,
    deferred: &Deferred<'a>,
) -> FxHashMap<&'a str, Fixed> {
    let scope = match deferred.body {
        Body::Def(def) => Scope::of(&def.body),
        Body::Lambda(_) => Scope::default(),
    };
    let mut emitter = Emitter::new(sheet, file, inner, deferred.number, scope);
    emitter.class = deferred.class;
    emitter.outer.clone_from(&deferred.outer);
    match deferred.body {
        Body::Def(def) => {
            emitter.bind_parameters(&def.parameters);
            emitter.suite(&def.body);
            // A function without `return` ends with LOAD_CONST and RETURN_VALUE.
            emitter.work(forewarm_types::OpClass::Const, 2);
        }
        Body::Lambda(lambda) => {
            if let Some(parameters) = &lambda.parameters {
                emitter.bind_parameters(parameters);
            }
            emitter.expr(&lambda.body);
            emitter.work(forewarm_types::OpClass::Branch, 1);
        }
    }
    emitter.finish();
    let nests = !emitter.deferred.is_empty();
    if nests { emitter.fixed() } else { FxHashMap::default() }
}
