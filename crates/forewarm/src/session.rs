//! What every command stands on: where state lies, what the configuration says, and the orchestrator.
//!
//! The one place that reads Forewarm's own environment variables. Nothing here fails for want of a home directory: a
//! place that is not there costs a warning.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use forewarm_holder::Place;
use forewarm_orchestrator::{Orchestrator, Settings};
use forewarm_sandbox::RealClock;

use crate::config::Config;
use crate::failure::Failure;
use crate::streams;

/// What a command works with.
pub struct Session {
    /// What the configuration file says, or the defaults.
    pub config: Config,
    /// The loop.
    pub orchestrator: Arc<Orchestrator>,
    places: Places,
}

impl Session {
    /// Reads the configuration where there is one, and opens the orchestrator.
    ///
    /// # Errors
    /// Where the configuration cannot be followed.
    pub fn open() -> Result<Self, Failure> {
        let places = Places::find(|name| std::env::var_os(name));
        let config = match &places.config {
            Some(file) => Config::load(file)?,
            None => Config::default(),
        };
        let settings = Settings {
            data_directory: places.data.clone(),
            cache_directory: places.cache.clone(),
            cache_limit: config.cache_limit,
            record: !no_record(std::env::var_os("FOREWARM_NO_RECORD")),
            release_memory: false,
            prepare_command: if config.prepare { std::env::current_exe().ok() } else { None },
            // By what it is, so that another build in its place makes no difference.
            timing_command: Some("/proc/self/exe".into()),
        };
        let orchestrator = Orchestrator::open(settings, Arc::new(RealClock));
        let orchestrator = orchestrator.with_holder_at(holder_place()).delivering_to(streams::deliver);
        let orchestrator = Arc::new(orchestrator);
        Ok(Self { config, orchestrator, places })
    }

    /// What could not be done but did not matter.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.places.warnings();
        warnings.extend(self.orchestrator.warnings());
        warnings
    }
}

/// Where the holder is met.
#[must_use]
pub fn holder_place() -> Place {
    Place::find(|name| std::env::var_os(name))
}

/// Where things lie, by the XDG base directory specification 0.8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The database's folder.
    pub data: Option<PathBuf>,
    /// The artifacts' folder.
    pub cache: Option<PathBuf>,
    /// The configuration file.
    pub config: Option<PathBuf>,
}

impl Places {
    /// From the variables of the environment.
    #[must_use]
    pub fn find(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        // The specification has relative paths ignored.
        let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let place = |name: &str, below_home: &str| {
            let base = absolute(name).or_else(|| absolute("HOME").map(|home| home.join(below_home)));
            base.map(|base| base.join("forewarm"))
        };
        Self {
            data: place("XDG_DATA_HOME", ".local/share"),
            cache: place("XDG_CACHE_HOME", ".cache"),
            config: place("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("config.toml")),
        }
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.data.is_none() {
            warnings.push("neither XDG_DATA_HOME nor HOME names a directory: no history is kept".to_owned());
        }
        if self.cache.is_none() {
            warnings
                .push("neither XDG_CACHE_HOME nor HOME names a directory: compiled programs are not kept".to_owned());
        }
        warnings
    }
}

/// Whether the variable asks for runs that leave no trace in the database.
fn no_record(value: Option<OsString>) -> bool {
    value.is_some_and(|value| !value.is_empty() && value != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(variables: &[(&str, &str)]) -> Places {
        Places::find(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value)))
    }

    #[test]
    fn places_follow_the_specification() {
        let places = find(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/c"), ("XDG_DATA_HOME", "relative")]);
        assert_eq!(places.data, Some("/h/.local/share/forewarm".into()));
        assert_eq!(places.cache, Some("/c/forewarm".into()));
        assert_eq!(places.config, Some("/h/.config/forewarm/config.toml".into()));
        assert!(places.warnings().is_empty());
    }

    #[test]
    fn a_missing_home_costs_warnings() {
        let places = find(&[]);
        assert_eq!(places, Places { data: None, cache: None, config: None });
        assert_eq!(places.warnings().len(), 2);
    }

    #[test]
    fn recording_is_turned_off_by_a_value() {
        for (value, off) in
            [(None, false), (Some(""), false), (Some("0"), false), (Some("1"), true), (Some("yes"), true)]
        {
            assert_eq!(no_record(value.map(OsString::from)), off, "{value:?}");
        }
    }
}
