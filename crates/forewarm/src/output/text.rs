//! Results and errors for people. The larger pages have a file each; the small ones are here.

mod analysis;
mod counts;
mod history;
mod native;
mod plan;
mod python;
mod resources;
mod warm;
mod words;

use forewarm_executor::artifacts::ArtifactInfo;
use forewarm_orchestrator::Check;
use forewarm_resources::inventory::HERE;
use forewarm_types::{Bytes, CodeInfo, Configuration, Rung};

use super::Output;
use crate::document::Document;
use crate::failure::Failure;
use crate::human;
use crate::table::{Side, Table};

/// Width of running text, in characters.
const WIDTH: usize = 100;
/// Hexadecimal digits of a digest that tell programs apart for a person, as git does.
const SHORT_DIGEST: usize = 12;

/// Text for people.
pub struct Text;

impl Output for Text {
    fn document(&self, document: &Document) -> String {
        match document {
            Document::Analysis { file, analysis } => analysis::page(file, analysis),
            Document::Plan { file, plan, explain, models } => plan::page(file, plan, *explain, models),
            Document::Emulation { file, emulation } => plan::emulation(file, emulation),
            Document::Report { file, report } => history::account(file, report),
            Document::Results(results) => results.iter().map(|result| format!("{result}\n")).collect(),
            Document::Resources { model, nodes } => resources::page(model, nodes),
            Document::Imported { file, node: None } => format!("took over the figures of {}\n", file.display()),
            Document::Imported { file, node: Some(node) } => {
                format!("plans are priced on node {node} too, by the figures of {}\n", file.display())
            }
            Document::ForgottenNode(node) => format!("forgot node {node}\n"),
            Document::History(runs) => history::page(runs),
            Document::Forgotten(0) => "no runs to forget\n".to_owned(),
            Document::Forgotten(1) => "forgot 1 run\n".to_owned(),
            Document::Forgotten(runs) => format!("forgot {runs} runs\n"),
            Document::Cached(artifacts) => cached(artifacts),
            Document::Pruned(Bytes(0)) => "nothing to free\n".to_owned(),
            Document::Pruned(bytes) => format!("freed {}\n", human::size(*bytes)),
            Document::Warmed(programs) => programs.iter().map(warm::climb).collect(),
            Document::Held(held) => warm::held(held),
            Document::Dropped(count) => warm::dropped(*count),
            Document::Doctor(checks) => checks.iter().map(check).collect(),
            Document::Verbatim { text, .. } => text.clone(),
            Document::Path(path) => format!("{}\n", path.display()),
            Document::Written(files) => files.iter().map(|file| format!("wrote {}\n", file.display())).collect(),
        }
    }

    fn failure(&self, failure: &Failure) -> String {
        let file = failure.file.as_ref().map(|file| file.display().to_string());
        let parts = [file.as_deref(), Some(&failure.message), failure.cause.as_deref()];
        let line: Vec<&str> = parts.into_iter().flatten().map(str::trim_end).collect();
        let hint = failure.hint.as_ref().map(|hint| format!("hint: {hint}\n"));
        format!("error: {}\n{}", line.join(": "), hint.unwrap_or_default())
    }
}

/// The line that opens a page on a program.
fn heading(file: &std::path::Path, code: &CodeInfo) -> String {
    let entry = if code.entry.is_empty() { "no entry point" } else { &code.entry };
    let size = human::size(code.size_bytes);
    format!("{}\n  {}, {size}, {entry}, sha256:{}\n", file.display(), code.kind, short(&code.digest))
}

fn short(digest: &forewarm_types::Digest) -> String {
    digest.hex().chars().take(SHORT_DIGEST).collect()
}

/// A configuration in a few words: `winch/native, 1 thread, keeps artifact`.
fn shape(configuration: &Configuration) -> String {
    let Some(place) = configuration.placement() else {
        return "nowhere".to_owned();
    };
    let mut words = vec![configuration.class()];
    words.extend((place.node != HERE).then(|| format!("on {}", place.node)));
    if let Some(cpu) = configuration.cpu() {
        words.push(plural(cpu.threads, "thread"));
        words.extend(cpu.pinned.then(|| "pinned".to_owned()));
        words.extend(cpu.prefault.then(|| "prefaulted".to_owned()));
    }
    if let Some(process) = configuration.process() {
        words.extend(process.library_threads.map(|threads| plural(threads, "thread")));
        words.extend(process.pinned.then(|| "pinned".to_owned()));
        words.extend(process.isa_ceiling.map(|ceiling| format!("up to {}", ceiling.name())));
        words.extend(process.large_pages.then(|| "large pages".to_owned()));
        words.extend(process.read_ahead.then(|| "files read ahead".to_owned()));
    }
    if place.share < 1.0 {
        words.push(format!("{} of each core", human::percent(place.share)));
    }
    // Candidates that differ in nothing else differ in what they leave for later runs.
    words.extend((configuration.warm_state > Rung::File).then(|| "keeps artifact".to_owned()));
    words.join(", ")
}

fn plural(count: u32, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// A labelled line of a page; long words wrap below themselves.
fn line(label: &str, words: &str) -> String {
    /// Width of the widest label in use.
    const LABEL: usize = 14;
    let wrapped = human::wrap(words, LABEL, WIDTH);
    format!("  {label:<width$}{}", &wrapped[LABEL..], width = LABEL - 2)
}

fn cached(artifacts: &[ArtifactInfo]) -> String {
    if artifacts.is_empty() {
        return "the cache is empty\n".to_owned();
    }
    let columns = [
        ("program", Side::Left),
        ("configuration", Side::Left),
        ("size", Side::Right),
        ("last used (UTC)", Side::Left),
    ];
    let mut table = Table::new(columns);
    for artifact in artifacts {
        let class = format!("{}/{}", artifact.tier.name(), artifact.isa.name());
        let used = human::moment(artifact.used_unix_seconds);
        table.row([short(&artifact.digest), class, human::size(artifact.size_bytes), used]);
    }
    let total: Bytes = artifacts.iter().map(|artifact| artifact.size_bytes).sum();
    let count = plural(u32::try_from(artifacts.len()).unwrap_or(u32::MAX), "artifact");
    format!("{}{count}, {} in all\n", table.render(0), human::size(total))
}

fn check(check: &Check) -> String {
    let mark = if check.ok { "ok  " } else { "MISS" };
    let hint = check.hint.as_ref().map(|hint| format!("      hint: {hint}\n"));
    format!("{mark}  {}: {}\n{}", check.name, check.found, hint.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_read_file_message_cause_then_hint() {
        let failure =
            Failure::file(126, "not a program Forewarm can run", "p.wasm".as_ref(), "bad magic\n").hint("compile it");
        insta::assert_snapshot!(Text.failure(&failure), @r"
        error: p.wasm: not a program Forewarm can run: bad magic
        hint: compile it
        ");
        assert_eq!(Text.failure(&Failure::usage("no")), "error: no\n");
    }

    #[test]
    fn labelled_lines_wrap_below_their_words() {
        let long = "word ".repeat(30);
        let text = line("label", &long);
        assert!(text.starts_with("  label       word word"));
        assert!(text.lines().skip(1).all(|line| line.starts_with("              word")));
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
    }

    #[test]
    fn checks_show_what_to_do() {
        let found = Check { name: "memory".into(), ok: false, found: "none".into(), hint: Some("buy some".into()) };
        assert_eq!(Text.document(&Document::Doctor(vec![found])), "MISS  memory: none\n      hint: buy some\n");
    }
}
