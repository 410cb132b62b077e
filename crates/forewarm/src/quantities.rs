//! Quantities as a user writes them: durations, sizes, weights, variables, directories.
//!
//! Each function here is a clap `value_parser` and serves the configuration file as well. How quantities are printed
//! is another matter, see [`crate::human`].

use std::path::PathBuf;
use std::time::Duration;

use forewarm_executor::Directory;
use forewarm_orchestrator::Emulate;
use forewarm_types::{Bytes, Weights};

/// A text that is not the quantity wanted, with what would have been.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not {wanted}")]
pub struct ParseQuantityError {
    given: String,
    wanted: &'static str,
}

fn wrong(given: &str, wanted: &'static str) -> ParseQuantityError {
    ParseQuantityError { given: given.to_owned(), wanted }
}

/// The number at the start of a text and the unit after it; `None` where there is no finite number at or above zero.
fn split(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text.get(..end)?.parse().ok()?;
    number.is_finite().then(|| (number, text[end..].trim_start()))
}

/// A duration: `500ms`, `2s`, `1m`, `1.5h`; a number alone is of seconds, as in timeout(1).
///
/// # Errors
/// Where the text is anything else, zero, or longer than a clock can hold.
pub fn duration(text: &str) -> Result<Duration, ParseQuantityError> {
    let error = || wrong(text, "a duration (such as 500ms, 2s, 2, 1m or 1h)");
    let (number, unit) = split(text).ok_or_else(error)?;
    let factor = match unit {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(error()),
    };
    Duration::try_from_secs_f64(number * factor).ok().filter(|duration| !duration.is_zero()).ok_or_else(error)
}

/// A size: `256MiB`, `10MB`, `4096`; a lone `K`, `M`, `G` is binary, as in most tools.
///
/// # Errors
/// Where the text is anything else, or does not fit 64 bits.
pub fn size(text: &str) -> Result<Bytes, ParseQuantityError> {
    let error = || wrong(text, "a size (such as 64KiB, 256MiB, 1GiB, 10MB or 4096)");
    let (number, unit) = split(text).ok_or_else(error)?;
    let factor: u64 = match unit {
        "" | "B" => 1,
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" | "K" | "k" => 1 << 10,
        "MiB" | "M" => 1 << 20,
        "GiB" | "G" => 1 << 30,
        "TiB" | "T" => 1 << 40,
        _ => return Err(error()),
    };
    let bytes = number * factor as f64;
    // 2^63 is far beyond any memory and still exact in an f64.
    if bytes < 2f64.powi(63) { Ok(Bytes(bytes as u64)) } else { Err(error()) }
}

/// Explicit weights: `seconds=0.01,joules=0,price=1`; what is not named weighs nothing.
///
/// # Errors
/// Where a part is not one of these names with a number at or above zero, is named twice, or all weigh nothing.
pub fn weights(text: &str) -> Result<Weights, ParseQuantityError> {
    let error = || wrong(text, "weights (such as seconds=0.01,joules=0,price=1)");
    let [mut seconds, mut joules, mut price] = [None; 3];
    for part in text.split(',') {
        let (name, value) = part.split_once('=').ok_or_else(error)?;
        let value: f64 = value.trim().parse().map_err(|_| error())?;
        let place = match name.trim() {
            "seconds" => &mut seconds,
            "joules" => &mut joules,
            "price" => &mut price,
            _ => return Err(error()),
        };
        if !value.is_finite() || value < 0.0 || place.replace(value).is_some() {
            return Err(error());
        }
    }
    let weights = Weights {
        dollars_per_second: seconds.unwrap_or(0.0),
        dollars_per_joule: joules.unwrap_or(0.0),
        price_factor: price.unwrap_or(0.0),
    };
    let sum = weights.dollars_per_second + weights.dollars_per_joule + weights.price_factor;
    if sum > 0.0 { Ok(weights) } else { Err(error()) }
}

/// Whether to try the code first: `auto`, `never`, or at most so many seconds.
///
/// # Errors
/// Where the text is neither a word nor a time above zero.
pub fn emulate(text: &str) -> Result<Emulate, ParseQuantityError> {
    match text {
        "auto" => return Ok(Emulate::Auto),
        "never" => return Ok(Emulate::Never),
        _ => {}
    }
    let error = || wrong(text, "auto, never or a number of seconds");
    let seconds = match split(text) {
        Some((number, "")) => number,
        Some(_) => duration(text).map_err(|_| error())?.as_secs_f64(),
        None => return Err(error()),
    };
    if seconds > 0.0 { Ok(Emulate::Seconds(seconds)) } else { Err(error()) }
}

/// An environment variable for the program: given a value, or inherited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    name: String,
    value: Option<String>,
}

impl Variable {
    /// Name and value; `None` for one to inherit that is not set here.
    #[must_use]
    pub fn resolve(self, inherited: impl FnOnce(&str) -> Option<String>) -> Option<(String, String)> {
        let value = self.value.or_else(|| inherited(&self.name))?;
        Some((self.name, value))
    }
}

/// An environment variable, `K=V` or `K`.
///
/// # Errors
/// Where the name is empty.
pub fn variable(text: &str) -> Result<Variable, ParseQuantityError> {
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value.to_owned())));
    if name.is_empty() {
        return Err(wrong(text, "an environment variable (K=V, or K to inherit it)"));
    }
    Ok(Variable { name: name.to_owned(), value })
}

/// A directory for the program, `HOST[::GUEST]`; without a guest name it keeps its own.
///
/// # Errors
/// Where either name is empty.
pub fn directory(text: &str) -> Result<Directory, ParseQuantityError> {
    let (host, guest) = text.split_once("::").unwrap_or((text, text));
    if host.is_empty() || guest.is_empty() {
        return Err(wrong(text, "a directory (HOST or HOST::GUEST)"));
    }
    Ok(Directory { host: PathBuf::from(host), guest: guest.to_owned(), read_only: false })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations() {
        let check = |text: &str, expected: Option<f64>| {
            assert_eq!(duration(text).ok().map(|d| d.as_secs_f64()), expected, "{text:?}");
        };
        check("500ms", Some(0.5));
        check("2s", Some(2.0));
        check("1m", Some(60.0));
        check("1.5h", Some(5400.0));
        check("2 s", Some(2.0));
        check("2.5", Some(2.5));
        for bad in ["", "s", "-1s", "0s", "0", "1e3s", "2d", "1..2s", "99999999999999999999s", "2sx"] {
            check(bad, None);
        }
    }

    #[test]
    fn sizes() {
        let check = |text: &str, expected: Option<u64>| assert_eq!(size(text).ok().map(|b| b.0), expected, "{text:?}");
        check("4096", Some(4096));
        check("0", Some(0));
        check("256MiB", Some(256 << 20));
        check("256M", Some(256 << 20));
        check("1.5GiB", Some(3 << 29));
        check("10MB", Some(10_000_000));
        check("64 KiB", Some(64 << 10));
        for bad in ["", "MiB", "-1", "1XiB", "1e9", "99999999TiB", "NaN", "inf"] {
            check(bad, None);
        }
    }

    #[test]
    fn weights_are_named_once_and_sum_above_zero() {
        let parsed = weights("seconds=0.01,price=1").unwrap();
        assert_eq!((parsed.dollars_per_second, parsed.dollars_per_joule, parsed.price_factor), (0.01, 0.0, 1.0));
        for bad in
            ["", "seconds", "seconds=-1", "seconds=1,seconds=2", "hours=1", "seconds=NaN", "seconds=0", "price=inf"]
        {
            assert!(weights(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn trials() {
        assert_eq!(emulate("auto"), Ok(Emulate::Auto));
        assert_eq!(emulate("never"), Ok(Emulate::Never));
        assert_eq!(emulate("0.25"), Ok(Emulate::Seconds(0.25)));
        assert_eq!(emulate("250ms"), Ok(Emulate::Seconds(0.25)));
        for bad in ["", "always", "-1", "0", "inf", "1d"] {
            assert!(emulate(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn variables_are_given_or_inherited() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            let found = variable(text).unwrap().resolve(|name| (name == "HERE").then(|| "inherited".to_owned()));
            assert_eq!(found, expected.map(|(k, v)| (k.to_owned(), v.to_owned())), "{text:?}");
        };
        check("K=V", Some(("K", "V")));
        check("K=a=b", Some(("K", "a=b")));
        check("HERE=", Some(("HERE", "")));
        check("HERE", Some(("HERE", "inherited")));
        check("GONE", None);
        assert!(variable("=V").is_err());
    }

    #[test]
    fn directories() {
        let parts = |text: &str| directory(text).map(|d| (d.host.display().to_string(), d.guest)).ok();
        assert_eq!(parts("a"), Some(("a".into(), "a".into())));
        assert_eq!(parts("/a/b::/"), Some(("/a/b".into(), "/".into())));
        assert_eq!(parts("::x"), None);
        assert_eq!(parts("x::"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,24}") {
            let _ = (duration(&text), size(&text), weights(&text), emulate(&text), variable(&text), directory(&text));
        }

        #[test]
        fn what_is_printed_as_bytes_is_read_back(bytes in 0u64..1 << 53) {
            prop_assert_eq!(size(&bytes.to_string()), Ok(Bytes(bytes)));
            prop_assert_eq!(size(&format!("{bytes}B")), Ok(Bytes(bytes)));
        }
    }
}
