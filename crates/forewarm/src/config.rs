//! The configuration file: what it may say, its defaults, and errors that name file, line and key.
//!
//! The documented default is embedded (`config.toml` beside this file) and a test holds it against
//! [`Config::default`]. Flags beat the file; that join is made in [`crate::session`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use forewarm_orchestrator::Emulate;
use forewarm_types::{Bytes, Objective, Weights};
use serde::{Deserialize, Deserializer};

use crate::quantities;

/// The default file, which is also its documentation.
pub const DEFAULT: &str = include_str!("config.toml");

/// What the file says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What is to be made small.
    pub objective: Objective,
    /// Whether to try a program before its run.
    #[serde(deserialize_with = "emulate")]
    pub emulate: Emulate,
    /// Whether an artifact may be prepared for later runs.
    pub prepare: bool,
    /// Most bytes of artifacts.
    #[serde(deserialize_with = "size")]
    pub cache_limit: Bytes,
    /// How long the holder stays without a request.
    #[serde(deserialize_with = "duration")]
    pub holder_idle: Duration,
    /// Most memory the holder holds; a tenth of the machine's where none is given.
    #[serde(deserialize_with = "some_size")]
    pub holder_memory: Option<Bytes>,
    /// Most memory of a program.
    #[serde(deserialize_with = "some_size")]
    pub max_memory: Option<Bytes>,
    /// Explicit weights in place of the objective's.
    #[serde(deserialize_with = "weights")]
    pub weights: Option<Weights>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            objective: Objective::Latency,
            emulate: Emulate::Auto,
            prepare: true,
            // ccache 4 manual, "max_size": 5 GiB by default; a cache of compiler output like this one.
            cache_limit: Bytes(5 << 30),
            // The longest fixed keep-alive of the large providers: 20 minutes (Shahrad et al. 2020, "Serverless in the
            // Wild", section 3.5).
            holder_idle: Duration::from_secs(20 * 60),
            holder_memory: None,
            max_memory: None,
            weights: None,
        }
    }
}

/// What is wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is there and cannot be read.
    #[error("cannot read the configuration")]
    Read {
        /// The file.
        file: PathBuf,
        /// The system's words.
        #[source]
        cause: std::io::Error,
    },
    /// It does not say what it may say.
    #[error("cannot follow the configuration")]
    Parse {
        /// The file.
        file: PathBuf,
        /// The line, counted from one.
        line: usize,
        /// The key and what is wrong with it.
        cause: String,
    },
}

impl Config {
    /// Reads the file where there is one.
    ///
    /// # Errors
    /// Where the file cannot be read, is not TOML, or has a key or value that is not known.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(file) {
            Ok(text) => Self::parse(&text, file),
            Err(error) if missing(&error) => Ok(Self::default()),
            Err(cause) => Err(ConfigError::Read { file: file.to_owned(), cause }),
        }
    }

    fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.get(..start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let key = text.lines().nth(line - 1).and_then(|line| line.split_once('=')).map(|(key, _)| key.trim());
            let message = error.message().trim_end();
            let cause = match key {
                Some(key) if !message.contains(key) => format!("line {line}: {key}: {message}"),
                _ => format!("line {line}: {message}"),
            };
            ConfigError::Parse { file: file.to_owned(), line, cause }
        })
    }
}

fn missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// A number or a text, for keys that take both.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number or a text")]
enum Scalar {
    Whole(u64),
    Real(f64),
    Text(String),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Self::Whole(number) => number.to_string(),
            Self::Real(number) => number.to_string(),
            Self::Text(text) => text,
        }
    }
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    quantities::size(&Scalar::deserialize(deserializer)?.into_text()).map_err(serde::de::Error::custom)
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    quantities::duration(&Scalar::deserialize(deserializer)?.into_text()).map_err(serde::de::Error::custom)
}

fn some_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Bytes>, D::Error> {
    size(deserializer).map(Some)
}

fn emulate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Emulate, D::Error> {
    quantities::emulate(&Scalar::deserialize(deserializer)?.into_text()).map_err(serde::de::Error::custom)
}

fn weights<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Weights>, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, default)]
    #[derive(Default)]
    struct Parts {
        seconds: f64,
        joules: f64,
        price: f64,
    }
    let Parts { seconds, joules, price } = Parts::deserialize(deserializer)?;
    let text = format!("seconds={seconds},joules={joules},price={price}");
    quantities::weights(&text).map(Some).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("config.toml")).map_err(|error| match error {
            ConfigError::Parse { cause, .. } => cause,
            ConfigError::Read { .. } => unreachable!("nothing is read"),
        })
    }

    #[test]
    fn the_embedded_file_says_the_defaults() {
        assert_eq!(parse(DEFAULT), Ok(Config::default()));
        // Every key that is commented out is a key that is understood.
        let all: String = DEFAULT
            .lines()
            .map(|line| {
                line.strip_prefix("# ").filter(|line| line.contains(" = ") || line.starts_with('[')).unwrap_or(line)
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let config = parse(&all).unwrap();
        assert_eq!((config.max_memory, config.holder_memory), (Some(Bytes(1 << 30)), Some(Bytes(2 << 30))));
        assert_eq!(config.weights.map(|weights| weights.dollars_per_second), Some(0.01));
    }

    #[test]
    fn keys_take_what_flags_take() {
        let config = parse("objective = \"cost\"\nemulate = 0.5\ncache_limit = 1048576\nprepare = false\n").unwrap();
        assert_eq!(config.objective, Objective::Cost);
        assert_eq!(config.emulate, Emulate::Seconds(0.5));
        assert_eq!(config.cache_limit, Bytes(1 << 20));
        assert!(!config.prepare);
    }

    #[test]
    fn errors_name_line_and_key() {
        let check = |text: &str, parts: &[&str]| {
            let message = parse(text).unwrap_err();
            assert!(parts.iter().all(|part| message.contains(part)), "{text:?} gave {message:?}");
        };
        check("# one\nobjectiv = \"latency\"\n", &["line 2", "objectiv", "objective"]);
        check("objective = \"speed\"\n", &["line 1", "objective", "speed", "latency"]);
        check("\n\ncache_limit = \"lots\"\n", &["line 3", "cache_limit", "lots"]);
        check("prepare = 1\n", &["line 1", "prepare", "boolean"]);
        check("emulate = \"always\"\n", &["line 1", "emulate", "never"]);
        check("[weights]\nseconds = -1\n", &["weights"]);
        check("objective =\n", &["line 1"]);
    }
}
