//! Everything that importing some modules loads: the union of modules, with what it costs and which distributions,
//! extension modules and shared libraries are in it.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use forewarm_types::python::{Distribution, ImportOrigin, Phase};
use forewarm_types::{Basis, Bytes, Estimate};

use super::imports::absolute;
use super::scan::scan;
use crate::Depth;
use crate::environment::{Environment, ModuleFile, ModuleForm};

/// Modules looked at for one program: importing all of TensorFlow takes some 4,000.
const MAX_MODULES: usize = 8000;

/// Bytes of source looked at for one program: at some 300 MB/s a quarter of a second.
const MAX_BYTES: usize = 80 << 20;

/// Spread of what a module costs about the mean of its peers, where it was not measured itself: from a tenth to ten
/// times. A default; a package's modules differ that much.
const UNMEASURED_SPREAD: f64 = 10.0;

/// Least relative standard deviation of an import time that was measured in another process on this machine: what a few
/// runs in a row cannot tell, such as what else its caches and cores were busy with. The means of five imports of json,
/// argparse, asyncio, numpy, pandas, scikit-learn, requests and Pillow, a minute apart on a busy machine (load 10 to 14 on two
/// cores), deviated by 0.05 to 0.20 of what they ran, by 0.15 to 0.92 of what they took with waiting; with this, nine tenths
/// of other runs lay inside.
const LEAST_DEVIATION: f64 = 0.15;

/// 95th percentiles of Student's t distribution by degrees of freedom, from 1; beyond them that of the normal one.
const STUDENT: [f64; 9] = [6.31, 2.92, 2.35, 2.13, 2.02, 1.94, 1.89, 1.86, 1.83];
const NORMAL: f64 = 1.645;

/// The union of the modules that several imports load.
///
/// At first sight only what was measured is followed, by what was seen to load what: to look through the text of a large
/// library takes longer than most programs run.
pub(super) struct Closure<'e> {
    environment: &'e dyn Environment,
    version: Option<(u32, u32)>,
    depth: Depth,
    seen: HashSet<String>,
    /// Modules loaded, in the order in which they were met; local ones and what the interpreter holds are not in it.
    pub loaded: Vec<(String, ModuleFile)>,
    bytes: usize,
    /// Whether a bound was met, or modules were not followed.
    pub cut: bool,
}

impl<'e> Closure<'e> {
    pub(super) fn new(environment: &'e dyn Environment, version: Option<(u32, u32)>, depth: Depth) -> Self {
        Self { environment, version, depth, seen: HashSet::new(), loaded: Vec::new(), bytes: 0, cut: false }
    }

    /// Adds what an import loads; the number of modules it found.
    pub(super) fn add(&mut self, module: &str, names: &[String]) {
        let mut queue = VecDeque::new();
        self.request(module, names, false, &mut queue);
        while let Some((name, file)) = queue.pop_front() {
            if self.loaded.len() >= MAX_MODULES || self.bytes >= MAX_BYTES {
                self.cut = true;
                return;
            }
            let measured = self.environment.cost(&name, &file).is_some();
            let source = file.form == ModuleForm::Source && file.origin != ImportOrigin::Local;
            if source && self.depth == Depth::Run {
                self.cut |= !measured;
            } else if source && let Some(text) = self.environment.read(&file.path) {
                self.bytes += text.len();
                self.follow(&name, &file, &text, &mut queue);
            }
            // Extension modules import as well.
            if measured {
                for module in self.environment.loaded_by(&name) {
                    self.request(&module, &[], true, &mut queue);
                }
            }
            self.loaded.push((name, file));
        }
    }

    /// Queues a module with the packages above it, and names taken from it that are modules. `seen` where it was measured
    /// what the importing module loads.
    fn request(
        &mut self,
        module: &str,
        names: &[String],
        seen: bool,
        queue: &mut VecDeque<(String, ModuleFile)>,
    ) -> bool {
        let mut end = 0;
        let mut found = None;
        while end < module.len() {
            end = module[end + 1..].find('.').map_or(module.len(), |dot| end + 1 + dot);
            found = self.enqueue(&module[..end], seen, queue);
            if found.is_none() {
                return false;
            }
        }
        if found.is_some_and(|package| package) {
            for name in names.iter().filter(|name| *name != "*") {
                self.enqueue(&format!("{module}.{name}"), seen, queue);
            }
        }
        true
    }

    /// Queues one module; whether it is a package, `None` where there is no such module.
    fn enqueue(&mut self, module: &str, seen: bool, queue: &mut VecDeque<(String, ModuleFile)>) -> Option<bool> {
        let file = self.environment.find(module)?;
        let package = file.package;
        // What was not there after its importer was loaded is not loaded by it, whatever the text says.
        if seen && self.environment.cost(module, &file).is_none() {
            return Some(package);
        }
        if self.seen.insert(module.to_owned()) && file.origin != ImportOrigin::Local {
            queue.push_back((module.to_owned(), file));
        }
        Some(package)
    }

    fn follow(&mut self, name: &str, file: &ModuleFile, text: &[u8], queue: &mut VecDeque<(String, ModuleFile)>) {
        let package = if file.package { name } else { name.rsplit_once('.').map_or("", |(parent, _)| parent) };
        let seen = self.environment.cost(name, file).is_some();
        let mut failed = false;
        for found in scan(text, self.version) {
            if found.lazy || (found.alternative && !failed) {
                continue;
            }
            if let Some(module) = absolute(package, found.level, &found.module) {
                failed = !self.request(&module, &found.names, seen, queue);
            }
        }
    }

    /// What loading the modules from a mark on costs.
    pub(super) fn phase(&self, from: usize) -> Phase {
        let modules = self.loaded.get(from..).unwrap_or_default();
        let costs: Vec<_> = modules.iter().map(|(name, file)| self.environment.cost(name, file)).collect();
        let measured = costs.iter().flatten().count();
        // What the interpreter loads at its start costs nothing more.
        let added = || costs.iter().flatten().filter(|cost| !cost.startup);
        let missing = costs.len() - measured;
        let seconds =
            estimate(added().map(|cost| (cost.seconds, cost.variance.max(0.0).sqrt(), cost.samples)), missing);
        let bytes = estimate(added().filter_map(|cost| Some((cost.bytes?, 0.0, cost.samples))), missing);
        Phase {
            ops: None,
            modules: modules.len() as u64,
            modules_measured: measured as u64,
            modules_cut: self.cut,
            import_seconds: if measured == 0 && missing > 0 { None } else { Some(seconds) },
            import_bytes: if measured == 0 && missing > 0 { None } else { Some(bytes) },
        }
    }

    /// The distributions among the modules; at first sight without the shared libraries that they need.
    pub(super) fn distributions(&self) -> Vec<Distribution> {
        let mut by_name: BTreeMap<&str, (u64, Vec<&str>, Vec<&str>)> = BTreeMap::new();
        for (name, file) in &self.loaded {
            let Some(distribution) = &file.distribution else { continue };
            let entry = by_name.entry(distribution).or_default();
            entry.0 += 1;
            if file.form == ModuleForm::Extension {
                entry.1.push(name);
                entry.2.push(&file.path);
            }
        }
        by_name
            .into_iter()
            .map(|(name, (modules, extensions, paths))| self.distribution(name, modules, &extensions, &paths))
            .collect()
    }

    fn distribution(&self, name: &str, modules: u64, extensions: &[&str], paths: &[&str]) -> Distribution {
        let mut libraries = BTreeSet::new();
        let paths = if self.depth == Depth::Run { &[] } else { paths };
        let mut bytes: u64 = paths.iter().filter_map(|path| self.environment.size(path)).map(|size| size.0).sum();
        for path in paths {
            libraries.extend(self.environment.shared_libraries(path));
        }
        bytes += libraries
            .iter()
            .filter(|library| library.bundled)
            .filter_map(|library| library.bytes)
            .map(|size| size.0)
            .sum::<u64>();
        let mut extension_modules: Vec<String> = extensions.iter().map(|&name| name.to_owned()).collect();
        extension_modules.sort();
        Distribution {
            name: name.to_owned(),
            version: self.environment.version(name).unwrap_or_default(),
            modules,
            extension_modules,
            shared_libraries: libraries.into_iter().map(|library| library.name).collect(),
            native_bytes: Bytes(bytes),
        }
    }
}

/// The sum of measured costs, given with their standard deviations and samples, and of so many more that were not
/// measured, each taken as the mean of the measured ones.
///
/// Runs are slow or fast as a whole, so that deviations add up; the interval is that of one more run (Student's t).
fn estimate(measured: impl Iterator<Item = (f64, f64, u64)>, missing: usize) -> Estimate {
    let (mut sum, mut deviation, mut samples, mut count) = (0.0, 0.0, u64::MAX, 0_usize);
    for (mean, error, of) in measured {
        sum += mean.max(0.0);
        deviation += error;
        samples = samples.min(of.max(1));
        count += 1;
    }
    let student = usize::try_from(samples.saturating_sub(2)).ok().and_then(|freedom| STUDENT.get(freedom));
    let width = student.copied().unwrap_or(NORMAL) * (1.0 + 1.0 / samples as f64).sqrt();
    let error = width * deviation.max(LEAST_DEVIATION * sum);
    let low = (sum - error).max(0.0);
    if missing == 0 {
        return Estimate::new(low, sum, sum + error, Basis::Emulated);
    }
    let guessed = missing as f64 * sum / count.max(1) as f64;
    Estimate::new(low, sum + guessed, sum + error + guessed * UNMEASURED_SPREAD, Basis::Default)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::environment::ModuleCost;

    /// Every module is a file of a library that imports the next, `a` → `b` → `c`; some were measured.
    struct Chain(&'static [&'static str]);

    impl Environment for Chain {
        fn find(&self, module: &str) -> Option<ModuleFile> {
            let (path, origin, form) = (module.to_owned(), ImportOrigin::Distribution, ModuleForm::Source);
            Some(ModuleFile { path, origin, form, package: false, distribution: None })
        }

        fn read(&self, path: &str) -> Option<Arc<[u8]>> {
            let next = char::from(path.as_bytes()[0] + 1);
            Some(if path < "c" { format!("import {next}").into_bytes().into() } else { Arc::from(&b""[..]) })
        }

        fn cost(&self, module: &str, _: &ModuleFile) -> Option<ModuleCost> {
            let cost = ModuleCost { seconds: 0.5, variance: 0.0, bytes: None, samples: 5, startup: false };
            self.0.contains(&module).then_some(cost)
        }

        fn loaded_by(&self, module: &str) -> Vec<String> {
            if module == "a" { vec!["b".to_owned()] } else { Vec::new() }
        }
    }

    fn loaded(measured: &'static [&'static str], depth: Depth) -> (Vec<String>, bool, Option<f64>) {
        let chain = Chain(measured);
        let mut closure = Closure::new(&chain, None, depth);
        closure.add("a", &[]);
        let seconds = closure.phase(0).import_seconds.map(|seconds| seconds.expected);
        (closure.loaded.into_iter().map(|module| module.0).collect(), closure.cut, seconds)
    }

    #[test]
    fn a_first_sight_follows_what_was_measured_and_reads_nothing() {
        assert_eq!(loaded(&[], Depth::Full), (vec!["a".into(), "b".into(), "c".into()], false, None));
        assert_eq!(loaded(&[], Depth::Run), (vec!["a".into()], true, None));
        assert_eq!(loaded(&["a", "b"], Depth::Run), (vec!["a".into(), "b".into()], false, Some(1.0)));
    }
}
