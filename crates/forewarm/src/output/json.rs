//! The JSON contracts: each document begins with its schema.

use forewarm_orchestrator::HistoryRow;
use forewarm_resources::ResourceModel;
use forewarm_types::{Analysis, Observation, SCHEMA};
use serde::Serialize;
use serde_json::json;

use super::Output;
use crate::document::Document;
use crate::failure::Failure;

/// JSON documents.
pub struct Json;

/// A document of the contract without a schema of its own.
#[derive(Serialize)]
struct Versioned<T> {
    schema: u32,
    #[serde(flatten)]
    body: T,
}

/// Analysis of a file.
#[derive(Serialize)]
struct Analyzed<'a> {
    file: &'a std::path::Path,
    #[serde(flatten)]
    analysis: &'a Analysis,
}

/// This machine's resource model, and those of others beside it.
#[derive(Serialize)]
struct Machines<'a> {
    #[serde(flatten)]
    model: &'a ResourceModel,
    #[serde(skip_serializing_if = "<[ResourceModel]>::is_empty")]
    nodes: &'a [ResourceModel],
}

/// A past run with the score of its prediction.
#[derive(Serialize)]
struct Run<'a> {
    number: i64,
    file_name: &'a str,
    #[serde(flatten)]
    observation: &'a Observation,
    prediction: forewarm_types::observation::Score,
}

/// Any serialisable value as indented JSON with a line break at its end.
#[must_use]
pub fn pretty(value: &impl Serialize) -> String {
    // What is serialised here has text keys and no failing parts; a defect must still leave valid JSON.
    let text = serde_json::to_string_pretty(value);
    text.unwrap_or_else(|error| json!({ "schema": SCHEMA, "message": error.to_string() }).to_string()) + "\n"
}

fn versioned(body: impl Serialize) -> String {
    pretty(&Versioned { schema: SCHEMA, body })
}

/// A document of one key.
fn keyed(key: &str, value: impl Serialize) -> String {
    versioned(std::collections::BTreeMap::from([(key, value)]))
}

impl Output for Json {
    fn document(&self, document: &Document) -> String {
        match document {
            Document::Analysis { file, analysis } => versioned(Analyzed { file, analysis }),
            Document::Plan { plan, .. } => pretty(plan.as_ref()),
            Document::Emulation { emulation, .. } => pretty(emulation),
            Document::Report { report, .. } => pretty(report),
            Document::Results(results) => keyed("results", results),
            Document::Resources { model, nodes } => pretty(&Machines { model, nodes }),
            Document::Imported { file, .. } => keyed("imported", file),
            Document::ForgottenNode(node) => keyed("forgotten_node", node),
            Document::History(runs) => keyed("runs", runs.iter().map(scored).collect::<Vec<_>>()),
            Document::Forgotten(runs) => keyed("forgotten_runs", runs),
            Document::Cached(artifacts) => keyed("artifacts", artifacts),
            Document::Pruned(bytes) => keyed("freed_bytes", bytes),
            Document::Warmed(programs) => keyed("warmed", programs),
            Document::Held(held) => keyed("held", held),
            Document::Dropped(count) => keyed("dropped", count),
            Document::Doctor(checks) => keyed("checks", checks),
            // An exported model is a document already.
            Document::Verbatim { key: "resources", text } => text.clone(),
            Document::Verbatim { key, text } => keyed(key, text),
            Document::Path(path) => keyed("path", path),
            Document::Written(files) => keyed("files", files),
        }
    }

    fn failure(&self, failure: &Failure) -> String {
        versioned(failure)
    }
}

fn scored(row: &HistoryRow) -> Run<'_> {
    let observation = &row.observation;
    Run { number: row.number, file_name: &row.file_name, observation, prediction: observation.score() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_comes_first() {
        let error = Json.failure(&Failure::usage("no such flag").hint("see help"));
        insta::assert_snapshot!(error, @r#"
        {
          "schema": 1,
          "code": 2,
          "message": "no such flag",
          "file": null,
          "cause": null,
          "hint": "see help"
        }
        "#);
        assert_eq!(Json.document(&Document::Forgotten(3)), "{\n  \"schema\": 1,\n  \"forgotten_runs\": 3\n}\n");
    }
}
