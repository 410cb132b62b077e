//! Quantities as a person reads them: three digits and the unit that fits.
//!
//! Used by the text output alone; JSON carries plain numbers in base units.

use forewarm_types::{Basis, Bytes, Estimate};

/// Three significant digits without trailing noise: `0.123`, `1.23`, `12.3`, `123`, `1234`.
#[must_use]
pub fn number(value: f64) -> String {
    let magnitude = value.abs();
    let digits = if magnitude >= 99.95 || magnitude == 0.0 {
        0
    } else if magnitude >= 9.995 {
        1
    } else if magnitude >= 0.9995 {
        2
    } else {
        3
    };
    format!("{value:.digits$}")
}

/// The value in the largest of the units that it reaches, else in the smallest. Units rise.
fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    // A value that rounds up to the next unit is printed in it: 999.96 µs is 1.00 ms.
    let fits = |unit: &&(f64, &str)| value.abs() >= unit.0 * 0.9995;
    match units.iter().rev().find(fits).or(units.first()) {
        Some((factor, name)) => format!("{} {name}", number(value / factor)),
        None => number(value),
    }
}

/// A duration, from nanoseconds to hours.
#[must_use]
pub fn seconds(value: f64) -> String {
    if value == 0.0 {
        return "0 s".to_owned();
    }
    scaled(value, &[(1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1.0, "s"), (60.0, "min"), (3600.0, "h")])
}

/// A size in binary units.
#[must_use]
pub fn bytes(value: f64) -> String {
    let units = [(1.0, "B"), (1024.0, "KiB"), (1048576.0, "MiB"), (1073741824.0, "GiB"), (1099511627776.0, "TiB")];
    if value.abs() < 1000.0 { format!("{value:.0} B") } else { scaled(value, &units) }
}

/// A size in binary units.
#[must_use]
pub fn size(value: Bytes) -> String {
    bytes(value.as_f64())
}

/// Money, from nano-dollars up: single runs cost little.
#[must_use]
pub fn dollars(value: f64) -> String {
    if value == 0.0 {
        return "$0".to_owned();
    }
    if value.abs() >= 0.9995 {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}${}", number(value.abs()));
    }
    scaled(value, &[(1e-9, "n$"), (1e-6, "µ$"), (1e-3, "m$")])
}

/// Energy.
#[must_use]
pub fn joules(value: f64) -> String {
    if value == 0.0 {
        return "0 J".to_owned();
    }
    scaled(value, &[(1e-9, "nJ"), (1e-6, "µJ"), (1e-3, "mJ"), (1.0, "J"), (1e3, "kJ")])
}

/// A count of things.
#[must_use]
pub fn count(value: f64) -> String {
    if value.abs() < 10_000.0 && value.fract() == 0.0 {
        return format!("{value:.0}");
    }
    if value.abs() < 10_000.0 {
        return number(value);
    }
    scaled(value, &[(1e3, "thousand"), (1e6, "million"), (1e9, "billion"), (1e12, "trillion")])
}

/// A share between 0 and 1.
#[must_use]
pub fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0 %".to_owned(),
        tiny if tiny < 0.1 => "<0.1 %".to_owned(),
        small if small < 9.95 => format!("{small:.1} %"),
        large => format!("{large:.0} %"),
    }
}

/// An estimate: what is expected, then its interval and what it rests on; an exact value stands alone with its basis.
#[must_use]
pub fn estimate(value: Estimate, show: fn(f64) -> String) -> String {
    let basis = format!("{:?}", value.basis).to_lowercase();
    if value.low == value.high {
        return format!("{} ({basis})", show(value.expected));
    }
    format!("{} ({} to {}, {basis})", show(value.expected), show(value.low), show(value.high))
}

/// An estimate that may be unknown.
#[must_use]
pub fn maybe(value: Option<Estimate>, show: fn(f64) -> String) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| estimate(value, show))
}

/// The same on a page where all is read from code: only another basis needs saying.
#[must_use]
pub fn told(value: Option<Estimate>, show: fn(f64) -> String) -> String {
    match value {
        Some(value) if value.basis == Basis::Static && value.low == value.high => show(value.expected),
        Some(value) if value.basis == Basis::Static => {
            format!("{} ({} to {})", show(value.expected), show(value.low), show(value.high))
        }
        value => maybe(value, show),
    }
}

/// A moment in universal time, to the second.
///
/// The date follows Hinnant, "chrono-compatible low-level date algorithms" (2013), `civil_from_days`.
#[must_use]
pub fn moment(unix_seconds: f64) -> String {
    let total = unix_seconds.clamp(0.0, 253_402_300_799.0) as i64;
    let (days, rest) = (total.div_euclid(86_400), total.rem_euclid(86_400));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Words in lines of at most `width` characters, each line after `indent` spaces; a number stays with its unit.
#[must_use]
pub fn wrap(text: &str, indent: usize, width: usize) -> String {
    let is_number = |word: &str| word.trim_start_matches('(').parse::<f64>().is_ok();
    let words = text.split_whitespace().fold(Vec::<String>::new(), |mut words, word| {
        match words.last_mut() {
            Some(last) if is_number(last) => last.extend([" ", word]),
            _ => words.push(word.to_owned()),
        }
        words
    });
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in &words {
        if !line.is_empty() && indent + line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines.iter().map(|line| format!("{}{line}\n", " ".repeat(indent))).collect()
}

/// An item of a list: a dash, and its words beside it.
#[must_use]
pub fn item(text: &str, indent: usize, width: usize) -> String {
    let words = wrap(text, indent + 2, width);
    format!("{}- {}", " ".repeat(indent), &words[indent + 2..])
}

#[cfg(test)]
mod tests {
    use forewarm_types::Basis;

    use super::*;

    #[test]
    fn units_fit() {
        let check = |shown: String, expected: &str| assert_eq!(shown, expected);
        check(seconds(0.0), "0 s");
        check(seconds(1.5e-9), "1.50 ns");
        check(seconds(0.000_999_96), "1.00 ms");
        check(seconds(0.0123), "12.3 ms");
        check(seconds(1.0), "1.00 s");
        check(seconds(90.0), "1.50 min");
        check(bytes(0.0), "0 B");
        check(bytes(999.0), "999 B");
        check(bytes(1024.0), "1.00 KiB");
        check(bytes(268_435_456.0), "256 MiB");
        check(dollars(0.0), "$0");
        check(dollars(1.25e-5), "12.5 µ$");
        check(dollars(-2.5e-4), "-250 µ$");
        check(dollars(-3.0), "-$3.00");
        check(joules(0.2), "200 mJ");
        check(count(42.0), "42");
        check(count(1.5), "1.50");
        check(count(2.0e8), "200 million");
        check(percent(0.0004), "<0.1 %");
        check(percent(0.634), "63 %");
    }

    #[test]
    fn estimates_show_interval_and_basis() {
        assert_eq!(estimate(Estimate::exact(0.5, Basis::Observed), seconds), "500 ms (observed)");
        let open = Estimate::new(0.1, 0.2, 0.4, Basis::Static);
        assert_eq!(estimate(open, seconds), "200 ms (100 ms to 400 ms, static)");
        assert_eq!(maybe(None, seconds), "unknown");
    }

    #[test]
    fn moments_match_the_calendar() {
        let check = |unix: f64, expected: &str| assert_eq!(moment(unix), expected);
        check(0.0, "1970-01-01 00:00:00");
        check(951_782_400.0, "2000-02-29 00:00:00");
        check(1_735_689_599.9, "2024-12-31 23:59:59");
        check(4_107_542_400.0, "2100-03-01 00:00:00");
    }

    #[test]
    fn wrapping_keeps_every_word() {
        assert_eq!(wrap("one two three", 2, 9), "  one two\n  three\n");
        assert_eq!(wrap("unbreakable", 0, 3), "unbreakable\n");
        assert_eq!(item("one two three", 1, 8), " - one\n   two\n   three\n");
        assert_eq!(wrap("took (12.5 ms", 0, 11), "took\n(12.5 ms\n");
    }
}
