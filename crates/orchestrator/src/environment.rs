//! What lies around a Python program on this machine: the analyzer's questions, answered from the file system.
//!
//! No code is run to answer them, unless the interpreter's installation cannot be told from its path; then it is asked
//! once, with bounded time (`interpreter`). Folders are listed once each; what was found is remembered while the
//! answers are needed. Modules are looked for as `importlib` looks for them.

mod interpreter;
mod packages;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use forewarm_analyzer::{Environment, ModuleCost, ModuleFile, ModuleForm, SharedLibrary, module_libraries};
use forewarm_types::Bytes;
use forewarm_types::python::{ImportOrigin, Interpreter};

pub use interpreter::{Python, find_interpreter};
use packages::Packages;

use crate::native::Installed;

/// What a module was measured to cost.
pub struct KnownCost {
    /// The distribution and version it was measured in.
    pub distribution: Option<String>,
    /// The module during whose import it was loaded.
    pub parent: Option<String>,
    pub cost: ModuleCost,
}

/// Costs of modules by their name.
pub type ModuleCosts = HashMap<String, KnownCost>;

/// The surroundings of one program.
pub struct PythonEnvironment {
    python: Option<Python>,
    /// Folders of the program's own modules.
    local: Vec<PathBuf>,
    costs: ModuleCosts,
    /// Modules loaded while a module was imported, by that.
    loaded: HashMap<String, Vec<String>>,
    packages: RefCell<Option<Rc<Packages>>>,
    listings: RefCell<HashMap<PathBuf, Rc<Listing>>>,
    found: RefCell<HashMap<String, Option<Located>>>,
    files: RefCell<HashMap<String, Arc<[u8]>>>,
    installed: Installed,
}

/// The entries of a folder.
type Listing = HashSet<String>;

/// A module with the folders in which its own modules lie.
#[derive(Clone)]
struct Located {
    file: ModuleFile,
    below: Vec<PathBuf>,
}

impl PythonEnvironment {
    /// The surroundings of a program in a folder.
    pub fn new(python: Option<Python>, local: Vec<PathBuf>, costs: ModuleCosts) -> Self {
        let mut loaded: HashMap<String, Vec<String>> = HashMap::new();
        for (module, known) in &costs {
            if let Some(parent) = &known.parent {
                loaded.entry(parent.clone()).or_default().push(module.clone());
            }
        }
        // In no order of a hash table, so that equal figures give equal results.
        loaded.values_mut().for_each(|modules| modules.sort());
        Self {
            python,
            local,
            costs,
            loaded,
            packages: RefCell::default(),
            listings: RefCell::default(),
            found: RefCell::default(),
            files: RefCell::default(),
            installed: Installed::default(),
        }
    }

    fn listing(&self, folder: &Path) -> Rc<Listing> {
        if let Some(listing) = self.listings.borrow().get(folder) {
            return Rc::clone(listing);
        }
        let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        let listing: Rc<Listing> = Rc::new(entries.filter_map(|entry| entry.file_name().into_string().ok()).collect());
        self.listings.borrow_mut().insert(folder.to_owned(), Rc::clone(&listing));
        listing
    }

    fn packages(&self) -> Rc<Packages> {
        let mut packages = self.packages.borrow_mut();
        let sites = || self.python.as_ref().map(|python| python.sites.clone()).unwrap_or_default();
        Rc::clone(packages.get_or_insert_with(|| Rc::new(Packages::read(&sites()))))
    }

    fn locate(&self, module: &str) -> Option<Located> {
        if let Some(known) = self.found.borrow().get(module) {
            return known.clone();
        }
        let located = match module.rsplit_once('.') {
            Some((parent, name)) => self.locate(parent).and_then(|parent| self.inside(&parent, name)),
            None => self.top(module),
        };
        self.found.borrow_mut().insert(module.to_owned(), located.clone());
        located
    }

    /// A top-level module: the program's own, the interpreter's, then by the search path. Folders without
    /// `__init__.py` count only where nothing else has the name (PEP 420).
    fn top(&self, name: &str) -> Option<Located> {
        let mut namespace: Vec<(PathBuf, ImportOrigin)> = Vec::new();
        let python = self.python.as_ref();
        let local = self.local.iter().map(|folder| (folder.clone(), ImportOrigin::Local));
        let standard = python.into_iter().flat_map(|python| &python.standard);
        let standard = standard.map(|folder| (folder.clone(), ImportOrigin::Standard));
        let sites = python.into_iter().flat_map(|python| &python.sites);
        let sites = sites.map(|folder| (folder.clone(), ImportOrigin::File));
        if python.is_some() && interpreter::always_built_in(name) {
            return Some(empty(ImportOrigin::Standard, Vec::new()));
        }
        for (folder, origin) in local.chain(standard).chain(sites) {
            match self.entry(&folder, name) {
                Some(Entry::File(path, form, package)) => {
                    return Some(self.located(&path, form, package, origin));
                }
                Some(Entry::Folder(path)) => namespace.push((path, origin)),
                None => {}
            }
        }
        if let Some((_, origin)) = namespace.first() {
            return Some(empty(*origin, namespace.into_iter().map(|(folder, _)| folder).collect()));
        }
        (python.is_some() && interpreter::may_be_built_in(name)).then(|| empty(ImportOrigin::Standard, Vec::new()))
    }

    fn inside(&self, parent: &Located, name: &str) -> Option<Located> {
        let mut folders = Vec::new();
        for folder in &parent.below {
            match self.entry(folder, name) {
                Some(Entry::File(path, form, package)) => {
                    return Some(self.located(&path, form, package, parent.file.origin));
                }
                Some(Entry::Folder(path)) => folders.push(path),
                None => {}
            }
        }
        let first = folders.first()?;
        // A folder of data is no module; one that holds source may be.
        let holds_source = self.listing(first).iter().any(|entry| entry.ends_with(".py"));
        holds_source.then(|| empty(parent.file.origin, folders))
    }

    fn located(&self, path: &Path, form: ModuleForm, package: bool, origin: ImportOrigin) -> Located {
        let below = if package { path.parent().map(Path::to_owned).into_iter().collect() } else { Vec::new() };
        let distribution = match origin {
            ImportOrigin::File | ImportOrigin::Distribution => self.packages().owner(path),
            _ => None,
        };
        let origin = if distribution.is_some() { ImportOrigin::Distribution } else { origin };
        let path = path.to_string_lossy().into_owned();
        Located { file: ModuleFile { path, origin, form, package, distribution }, below }
    }

    /// What a folder has under a name.
    fn entry(&self, folder: &Path, name: &str) -> Option<Entry> {
        let listing = self.listing(folder);
        if listing.contains(name) {
            let package = folder.join(name);
            let inside = self.listing(&package);
            if inside.contains("__init__.py") {
                return Some(Entry::File(package.join("__init__.py"), ModuleForm::Source, true));
            }
            let native = inside.iter().find(|file| is_extension(file, "__init__"));
            if let Some(file) = native {
                return Some(Entry::File(package.join(file), ModuleForm::Extension, true));
            }
        }
        // CPython's order: extension modules before source (`importlib.machinery`, `_get_supported_file_loaders`).
        let suffix = self.python.as_ref().map(|python| python.extension_tag.as_str());
        let tagged = suffix.map(|tag| format!("{name}.{tag}.so"));
        for file in tagged.into_iter().chain([format!("{name}.abi3.so"), format!("{name}.so")]) {
            if listing.contains(&file) {
                return Some(Entry::File(folder.join(file), ModuleForm::Extension, false));
            }
        }
        let source = format!("{name}.py");
        if listing.contains(&source) {
            return Some(Entry::File(folder.join(source), ModuleForm::Source, false));
        }
        (listing.contains(name) && folder.join(name).is_dir()).then(|| Entry::Folder(folder.join(name)))
    }
}

enum Entry {
    /// Path, form, whether it is a package.
    File(PathBuf, ModuleForm, bool),
    /// A folder without code of its own.
    Folder(PathBuf),
}

/// A module without a file.
fn empty(origin: ImportOrigin, below: Vec<PathBuf>) -> Located {
    let package = !below.is_empty();
    Located {
        file: ModuleFile { path: String::new(), origin, form: ModuleForm::Empty, package, distribution: None },
        below,
    }
}

/// Whether a file is the extension module of a name, whatever interpreter it is for.
fn is_extension(file: &str, name: &str) -> bool {
    file.strip_prefix(name).is_some_and(|rest| rest.starts_with('.') && rest.ends_with(".so"))
}

impl Environment for PythonEnvironment {
    fn interpreter(&self) -> Option<Interpreter> {
        let python = self.python.as_ref()?;
        let folders = python.standard.iter().chain(&python.sites);
        Some(Interpreter {
            path: python.executable.display().to_string(),
            version: python.version.clone(),
            search_path: folders.map(|folder| folder.display().to_string()).collect(),
        })
    }

    fn find(&self, module: &str) -> Option<ModuleFile> {
        self.locate(module).map(|located| located.file)
    }

    fn read(&self, path: &str) -> Option<Arc<[u8]>> {
        if let Some(bytes) = self.files.borrow().get(path) {
            return Some(Arc::clone(bytes));
        }
        let bytes: Arc<[u8]> = std::fs::read(path).ok()?.into();
        self.files.borrow_mut().insert(path.to_owned(), Arc::clone(&bytes));
        Some(bytes)
    }

    fn version(&self, distribution: &str) -> Option<String> {
        self.packages().version(distribution)
    }

    fn cost(&self, module: &str, file: &ModuleFile) -> Option<ModuleCost> {
        let KnownCost { distribution: measured_in, cost, .. } = self.costs.get(module)?;
        // Another version of the distribution is other code.
        let now = file.distribution.as_ref().map(|name| format!("{name} {}", self.version(name).unwrap_or_default()));
        (*measured_in == now).then_some(*cost)
    }

    fn loaded_by(&self, module: &str) -> Vec<String> {
        self.loaded.get(module).cloned().unwrap_or_default()
    }

    fn shared_libraries(&self, path: &str) -> Vec<SharedLibrary> {
        module_libraries(path, &self.installed)
    }

    fn size(&self, path: &str) -> Option<Bytes> {
        std::fs::metadata(path).ok().map(|meta| Bytes(meta.len()))
    }
}
