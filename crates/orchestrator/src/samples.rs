//! Sample inputs that the user gives: arguments, or a folder of input files, argument files and events.
//!
//! A folder stands for the files in it, each a sample. `*.args` holds arguments, one a line. Where the run is for an event,
//! `*.json` is one; every other file stands in place of the file that the run's own arguments name (the last of them).

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use forewarm_executor::Directory;

use crate::Orchestrator;
use crate::error::Error;
use crate::features::{files, host_path, number};
use crate::request::{Request, Sample};

/// Where a folder of samples is found in a trial.
const GUEST: &str = "/forewarm-samples";

/// A file of arguments, one a line.
const ARGUMENTS: &str = "args";

/// An event.
const EVENT: &str = "json";

/// A smaller input and what varies in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Input {
    pub arguments: Vec<String>,
    pub directories: Vec<Directory>,
    /// Numbers among the arguments, and bytes of the files they name where there are any.
    pub features: Vec<f64>,
}

/// Refuses a sample that is meant for a folder, and for which there is none.
///
/// # Errors
/// [`Error::Usage`] for what is written as a path alone and leads nowhere.
pub(crate) fn check(request: &Request) -> Result<(), Error> {
    let nowhere = |sample: &&Sample| match sample {
        Sample::Folder(folder) => !folder.is_dir(),
        Sample::Arguments(arguments) => matches!(arguments.as_slice(), [only] if leads_nowhere(only, request)),
    };
    let Some(sample) = request.samples.iter().find(nowhere) else { return Ok(()) };
    let name = match sample {
        Sample::Folder(folder) => folder.display().to_string(),
        Sample::Arguments(arguments) => arguments.join(" "),
    };
    Err(Error::Usage {
        message: format!("no such folder of samples: {name}"),
        hint: Some("--sample takes a folder that exists, or the arguments of a smaller run".into()),
    })
}

/// Whether an argument is a path and nothing else, to nothing that the run is given.
fn leads_nowhere(argument: &str, request: &Request) -> bool {
    let path = ["/", "./", "../"].iter().any(|start| argument.starts_with(start)) || argument.ends_with('/');
    path && !Path::new(argument).exists() && !is_given(argument, &request.directories)
}

/// What is wrong with the folders of samples: those of which nothing can be used.
pub(crate) fn unusable(request: &Request) -> Vec<String> {
    let folders = request.samples.iter().filter_map(|sample| match sample {
        Sample::Folder(folder) => Some(folder),
        Sample::Arguments(_) => None,
    });
    let why = |folder: &PathBuf| {
        let shown = folder.display();
        match std::fs::read_dir(folder) {
            Err(error) => Some(format!("samples in {shown} are left out: {error}")),
            Ok(_) if files_in(folder).is_empty() => Some(format!("samples in {shown} are left out: it holds no file")),
            Ok(_) if of_folder(request, folder).is_empty() => Some(format!(
                "samples in {shown} are left out: its files stand in place of one that the arguments name, and they name none \
                 (files of arguments end in .args, events, for an --event or --handler, in .json)"
            )),
            Ok(_) => None,
        }
    };
    folders.filter_map(why).collect()
}

/// Every sample as a request of its own, in the order given, files of a folder by name.
pub(crate) fn requests(request: &Request) -> Vec<Request> {
    let with = |sample: &Sample| match sample {
        Sample::Arguments(arguments) => vec![Request { arguments: arguments.clone(), ..bare(request) }],
        Sample::Folder(folder) => of_folder(request, folder),
    };
    request.samples.iter().flat_map(with).collect()
}

/// Given samples by rising size, and the features of the run that was asked for; only those with as many numbers.
pub(crate) fn inputs(request: &Request) -> (VecDeque<Input>, Vec<f64>) {
    let given = requests(request);
    let sized = given.iter().chain([request]).any(|run| bytes(run) > 0.0);
    let target = features(request, sized);
    let input = |run: Request| {
        let features = features(&run, sized);
        Input { arguments: run.arguments, directories: run.directories, features }
    };
    let mut inputs: Vec<Input> = given.into_iter().map(input).collect();
    inputs.retain(|input| input.features.len() == target.len());
    inputs.sort_by(|a, b| a.features.iter().sum::<f64>().total_cmp(&b.features.iter().sum::<f64>()));
    (inputs.into(), target)
}

/// The request without its samples.
fn bare(request: &Request) -> Request {
    Request { samples: Vec::new(), plan: None, ..request.clone() }
}

fn of_folder(request: &Request, folder: &Path) -> Vec<Request> {
    files_in(folder).iter().filter_map(|path| of_file(request, path)).collect()
}

/// By name.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.is_file()).collect();
    paths.sort();
    paths
}

fn of_file(request: &Request, path: &Path) -> Option<Request> {
    let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
    let handled = request.event.is_some() || request.python.handler.is_some();
    if kind == ARGUMENTS {
        let text = std::fs::read_to_string(path).ok()?;
        return Some(Request { arguments: text.lines().map(str::to_owned).collect(), ..bare(request) });
    }
    if kind == EVENT && handled {
        return Some(Request { event: Some(path.to_owned()), ..bare(request) });
    }
    in_place(request, path)
}

/// The request with a file in place of the last that its arguments name.
fn in_place(request: &Request, path: &Path) -> Option<Request> {
    let mut run = bare(request);
    if Orchestrator::is_process(&request.file) {
        let at = run.arguments.iter().rposition(|argument| Path::new(argument).is_file())?;
        run.arguments[at] = path.to_str()?.to_owned();
        return Some(run);
    }
    let at = run.arguments.iter().rposition(|argument| is_given(argument, &request.directories))?;
    let host = path.parent()?.to_owned();
    run.arguments[at] = format!("{GUEST}/{}", path.file_name()?.to_str()?);
    run.directories.retain(|directory| directory.guest != GUEST);
    run.directories.push(Directory { host, guest: GUEST.to_owned(), read_only: true });
    Some(run)
}

/// Whether an argument names a file in one of the directories given.
fn is_given(argument: &str, directories: &[Directory]) -> bool {
    directories.iter().filter_map(|directory| host_path(directory, argument)).any(|path| path.is_file())
}

fn features(run: &Request, sized: bool) -> Vec<f64> {
    // A number in a file's name is none of the input's.
    let plain = run.arguments.iter().filter(|argument| !is_given(argument, &run.directories));
    plain.filter_map(|text| number(text)).chain(sized.then(|| bytes(run))).collect()
}

fn bytes(run: &Request) -> f64 {
    files(run).sum::<u64>() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::{Emulate, Overrides, ProcessLimits, PythonOptions};

    fn request() -> Request {
        Request {
            file: "program.wasm".into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directories: Vec::new(),
            invoke: None,
            network: false,
            max_memory: None,
            timeout_seconds: None,
            objective: forewarm_types::Objective::Latency,
            weights: None,
            emulate: Emulate::Auto,
            samples: Vec::new(),
            overrides: Overrides::default(),
            python: PythonOptions::default(),
            event: None,
            limits: ProcessLimits::default(),
            plan: None,
            prepare: false,
            all_candidates: false,
        }
    }

    struct Place(tempfile::TempDir);

    impl Place {
        fn write(&self, name: &str, bytes: usize) {
            let path = self.0.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "7\n".repeat(bytes / 2)).unwrap();
        }

        fn request(&self, arguments: &[&str], samples: Vec<Sample>) -> Request {
            let work = Directory { host: self.0.path().join("work"), guest: ".".into(), read_only: false };
            Request {
                arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
                directories: vec![work],
                samples,
                ..request()
            }
        }

        fn folder(&self) -> Vec<Sample> {
            vec![Sample::Folder(self.0.path().join("samples"))]
        }
    }

    fn place() -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        place.write("work/large100.txt", 5000);
        for (name, bytes) in [("samples/b.txt", 100), ("samples/a.txt", 400), ("samples/sub/c.txt", 10)] {
            place.write(name, bytes);
        }
        place
    }

    #[test]
    fn files_of_a_folder_stand_in_place_of_the_file_that_is_named() {
        let place = place();
        let (found, target) = inputs(&place.request(&["-n3", "large100.txt", "out"], place.folder()));
        assert_eq!(target, [3.0, 5000.0], "the number in the name is none of the input's");
        let names: Vec<&str> = found.iter().map(|input| &*input.arguments[1]).collect();
        assert_eq!(names, ["/forewarm-samples/b.txt", "/forewarm-samples/a.txt"], "by size, folders left out");
        let sizes: Vec<&[f64]> = found.iter().map(|input| &*input.features).collect();
        assert_eq!(sizes, [[3.0, 100.0], [3.0, 400.0]]);
        let given = found[0].directories.last().unwrap();
        assert!(given.read_only && given.host.ends_with("samples"), "{given:?}");
        assert_eq!(found[0].directories.len(), 2);
        assert!(inputs(&place.request(&["nothing"], place.folder())).0.is_empty(), "no file to stand in place of");
    }

    #[test]
    fn folders_of_nothing_usable_are_told_of() {
        let place = place();
        let told = |arguments: &[&str], folder: &str| {
            let samples = vec![Sample::Folder(place.0.path().join(folder))];
            let request = place.request(arguments, samples);
            (unusable(&request).join(" "), check(&request).is_ok())
        };
        std::fs::create_dir(place.0.path().join("empty")).unwrap();
        let (why, known) = told(&["large100.txt"], "empty");
        assert!(why.contains("holds no file") && known, "{why}");
        let (why, known) = told(&["nothing"], "samples");
        assert!(why.contains("name none") && known, "{why}");
        assert_eq!(told(&["large100.txt"], "samples"), (String::new(), true));
        assert!(!told(&["large100.txt"], "missing").1);
    }

    #[test]
    fn a_path_to_nothing_is_no_argument() {
        let place = place();
        let allowed = |sample: &str| {
            let words = sample.split(' ').map(str::to_owned).collect();
            check(&place.request(&["large100.txt"], vec![Sample::Arguments(words)])).is_ok()
        };
        assert!(!allowed("./missing") && !allowed("missing/") && !allowed("/missing/folder"));
        assert!(allowed("10") && allowed("s/a/b/g") && allowed("-c ./missing") && allowed("large100.txt"));
    }

    #[test]
    fn argument_files_and_arguments_are_taken_as_they_are() {
        let place = place();
        std::fs::write(place.0.path().join("samples/small.args"), "10\ntwo words\n").unwrap();
        let mut samples = place.folder();
        samples.push(Sample::Arguments(vec!["20".into(), "x".into()]));
        let (found, target) = inputs(&place.request(&["1000", "x"], samples));
        assert_eq!(target, [1000.0]);
        let arguments: Vec<&[String]> = found.iter().map(|input| &*input.arguments).collect();
        assert_eq!(arguments, [["10", "two words"], ["20", "x"]]);
    }

    #[test]
    fn events_are_samples_of_what_is_run_for_one() {
        let place = place();
        std::fs::write(place.0.path().join("samples/one.json"), "{}").unwrap();
        let mut request = place.request(&[], place.folder());
        request.file = "handler.py".into();
        assert!(requests(&request).is_empty());
        request.event = Some("event.json".into());
        let found = requests(&request);
        assert_eq!(found.len(), 1);
        assert!(found[0].event.as_ref().is_some_and(|event| event.ends_with("samples/one.json")));
        assert!(found[0].samples.is_empty());
    }
}
