//! Imports in a syntax tree: what each names, when it happens, and which conditions the code alone settles.

use forewarm_types::OpClass;
use forewarm_types::python::ImportTime;
use ruff_python_ast::{self as ast, BoolOp, CmpOp, Expr, UnaryOp};

use super::emit::{Emitter, Val};
use super::scope::start;
use super::statements::is_named;

/// Texts of a literal that are looked at for each call which names a module by one of them: more than any list of requirements has, and so
/// few that the work is in proportion to the code.
const MOST_TEXTS: usize = 64;

/// An import as it stands in the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Absolute name.
    pub module: String,
    /// Names taken from it, which may be modules below it.
    pub names: Vec<String>,
    pub file: u32,
    pub offset: u32,
    pub when: ImportTime,
    /// The function it stands in, where it stands in one.
    pub function: Option<u32>,
}

/// The absolute name of a relative import; `None` where it leads out of the package.
pub(super) fn absolute(package: &str, level: u32, module: &str) -> Option<String> {
    if level == 0 {
        return Some(module.to_owned());
    }
    let mut base = package;
    for _ in 1..level {
        base = base.rsplit_once('.').map_or("", |(parent, _)| parent);
    }
    match (base.is_empty(), module.is_empty()) {
        (true, true) => None,
        (true, false) => Some(module.to_owned()),
        (false, true) => Some(base.to_owned()),
        (false, false) => Some(format!("{base}.{module}")),
    }
}

impl<'a> Emitter<'a, '_> {
    pub(super) fn import(&mut self, import: &'a ast::StmtImport) {
        for alias in &import.names {
            self.work(OpClass::Const, 2);
            self.work(OpClass::Other, 1);
            self.work(OpClass::Local, 1);
            self.found(alias.name.to_string(), Vec::new(), start(alias), import.is_lazy);
            let (bound, path) = match &alias.asname {
                Some(name) => (name.as_str(), alias.name.as_str()),
                None => {
                    let top = alias.name.split('.').next().unwrap_or(&alias.name);
                    (top, top)
                }
            };
            let path = self.sheet.intern(path);
            self.bind_import(bound, start(alias), Val::Path(path));
        }
    }

    pub(super) fn import_from(&mut self, import: &'a ast::StmtImportFrom) {
        let module = import.module.as_ref().map_or("", |module| module.as_str());
        let Some(module) = absolute(self.file.package, import.level, module) else { return };
        self.work(OpClass::Const, 2);
        self.work(OpClass::Other, 2 + import.names.len() as u32);
        self.work(OpClass::Local, import.names.len() as u32);
        let names = import.names.iter().map(|alias| alias.name.to_string()).collect();
        self.found(module.clone(), names, start(import), import.is_lazy);
        for alias in &import.names {
            let bound = alias.asname.as_ref().unwrap_or(&alias.name);
            let val = self.offered(&module, &alias.name);
            self.bind_import(bound, start(alias), val);
        }
    }

    /// Where an import has an alternative, as in `try … except ImportError`, the first one stands.
    fn bind_import(&mut self, name: &'a str, at: u32, val: Val) {
        let known = matches!(self.names.get(name).map(|slot| slot.val), Some(Val::Path(_) | Val::Function(_)));
        if !(known && (self.conditional > 0 || self.never > 0)) {
            self.bind(name, at, val);
        }
    }

    fn found(&mut self, module: String, names: Vec<String>, offset: u32, lazy: bool) {
        let in_function = !self.module_level && self.sheet.parameters.contains_key(&self.number);
        let when = match () {
            () if self.never > 0 => ImportTime::Never,
            () if in_function || lazy => ImportTime::Lazy,
            () if self.optional > 0 => ImportTime::Optional,
            () if self.conditional > 0 => ImportTime::Conditional,
            () => ImportTime::Static,
        };
        let function = in_function.then_some(self.number);
        self.sheet.imports.push(Found { module, names, file: self.file.number, offset, when, function });
    }

    /// Notes which texts a name stands for that was just bound to a literal, or to what another name stands for.
    pub(super) fn note_texts(&mut self, target: &'a Expr, value: &'a Expr) {
        let Expr::Name(name) = target else { return };
        let texts = match value {
            Expr::StringLiteral(_) | Expr::Tuple(_) | Expr::List(_) | Expr::Set(_) => Some(value),
            Expr::Name(other) => self.texts.get(other.id.as_str()).copied(),
            _ => None,
        };
        if let Some(texts) = texts {
            self.texts.insert(&name.id, texts);
        }
    }

    /// The texts that an expression may come to, where all are written in the code and they are few.
    fn texts_of(&self, expr: &'a Expr) -> Vec<&'a str> {
        let text = |expr: &'a Expr| match expr {
            Expr::StringLiteral(text) => Some(text.value.to_str()),
            _ => None,
        };
        let expr = match expr {
            Expr::Name(name) => self.texts.get(name.id.as_str()).copied().unwrap_or(expr),
            _ => expr,
        };
        let elements = match expr {
            Expr::Tuple(tuple) => &tuple.elts[..],
            Expr::List(list) => &list.elts[..],
            Expr::Set(set) => &set.elts[..],
            _ => return text(expr).into_iter().collect(),
        };
        let few = Some(elements).filter(|elements| elements.len() <= MOST_TEXTS);
        few.and_then(|elements| elements.iter().map(text).collect()).unwrap_or_default()
    }

    /// `importlib.import_module("x")` and `__import__("x")`, of each text that a name there may stand for: the module, where it is
    /// one.
    pub(super) fn import_call(&mut self, call: &'a ast::ExprCall, path: &str) -> Option<u32> {
        if !matches!(path, "importlib.import_module" | "__import__" | "importlib.__import__") {
            return None;
        }
        let mut modules = Vec::new();
        for name in self.texts_of(call.arguments.args.first()?) {
            let module = name.trim_start_matches('.');
            let level = (name.len() - module.len()) as u32;
            let plain = !module.is_empty() && module.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
            modules.extend(absolute(self.file.package, level, module).filter(|_| plain));
        }
        for module in &modules {
            self.found(module.clone(), Vec::new(), start(call), false);
        }
        let [module] = &modules[..] else { return None };
        Some(self.sheet.intern(module))
    }

    /// What the code, the interpreter's version and the platform alone say of a condition.
    pub(super) fn settled(&self, test: &Expr) -> Option<bool> {
        match test {
            Expr::BooleanLiteral(literal) => Some(literal.value),
            Expr::NumberLiteral(_) => super::trips::number(test).map(|value| value != 0),
            Expr::UnaryOp(operation) if operation.op == UnaryOp::Not => {
                self.settled(&operation.operand).map(|truth| !truth)
            }
            Expr::BoolOp(operation) => {
                let all = operation.op == BoolOp::And;
                let parts: Vec<Option<bool>> = operation.values.iter().map(|value| self.settled(value)).collect();
                if parts.contains(&Some(!all)) {
                    return Some(!all);
                }
                parts.iter().all(Option::is_some).then_some(all)
            }
            Expr::Name(_) | Expr::Attribute(_) if is_named(test, "TYPE_CHECKING") => Some(false),
            Expr::Name(name) if name.id.as_str() == "__debug__" => Some(true),
            Expr::Compare(compare) => {
                let ([op], [right]) = (&compare.ops[..], &compare.comparators[..]) else { return None };
                self.settled_comparison(&compare.left, *op, right)
            }
            Expr::Call(call) => match (&*call.func, &call.arguments.args[..]) {
                (Expr::Attribute(attribute), [Expr::StringLiteral(prefix)])
                    if attribute.attr.as_str() == "startswith" && is_member(&attribute.value, "sys", "platform") =>
                {
                    Some(PLATFORM.starts_with(prefix.value.to_str()))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn settled_comparison(&self, left: &Expr, op: CmpOp, right: &Expr) -> Option<bool> {
        let equal = |found: &str| match (op, right) {
            (CmpOp::Eq, Expr::StringLiteral(wanted)) => Some(wanted.value.to_str() == found),
            (CmpOp::NotEq, Expr::StringLiteral(wanted)) => Some(wanted.value.to_str() != found),
            _ => None,
        };
        if matches!(left, Expr::Name(name) if name.id.as_str() == "__name__") {
            return equal(if self.file.main { "__main__" } else { "" });
        }
        if is_member(left, "sys", "platform") {
            return equal(PLATFORM);
        }
        if is_member(left, "os", "name") {
            return equal("posix");
        }
        if is_member(left, "sys", "version_info") {
            let Expr::Tuple(tuple) = right else { return None };
            let mut parts = tuple.elts.iter().map(super::trips::number);
            let wanted = (parts.next()??, parts.next().unwrap_or(Some(0))?);
            let have = self.file.version.map(|(major, minor)| (i64::from(major), i64::from(minor)))?;
            return Some(match op {
                CmpOp::Lt => have < wanted,
                CmpOp::LtE => have <= wanted,
                CmpOp::Gt | CmpOp::GtE => have >= wanted,
                _ => return None,
            });
        }
        None
    }
}

/// `sys.platform` of the systems that Forewarm runs on.
pub(super) const PLATFORM: &str = if cfg!(target_os = "macos") { "darwin" } else { "linux" };

/// Whether an expression is `module.name`, or the name alone as `from module import name` gives it.
fn is_member(expr: &Expr, module: &str, name: &str) -> bool {
    match expr {
        Expr::Attribute(attribute) => {
            attribute.attr.as_str() == name
                && matches!(&*attribute.value, Expr::Name(found) if found.id.as_str() == module)
        }
        Expr::Name(found) => found.id.as_str() == name && name != "name",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::absolute;

    #[test]
    fn relative_imports_become_absolute() {
        for (package, level, module, expected) in [
            ("", 0, "os.path", Some("os.path")),
            ("a.b", 1, "c", Some("a.b.c")),
            ("a.b", 1, "", Some("a.b")),
            ("a.b", 2, "c", Some("a.c")),
            ("", 1, "helper", Some("helper")),
            ("", 1, "", None),
        ] {
            assert_eq!(absolute(package, level, module).as_deref(), expected, "{package} {level} {module}");
        }
    }
}
