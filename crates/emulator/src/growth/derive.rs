//! Smaller inputs made of a given one: numbers in its arguments scaled down. Pure: whether to run them is decided elsewhere.

/// Arguments of a smaller run.
#[derive(Debug, Clone, PartialEq)]
pub struct Smaller {
    /// The arguments.
    pub arguments: Vec<String>,
    /// The numbers that were scaled, in order.
    pub numbers: Vec<f64>,
}

/// Numbers below this are kept: what is scaled down from them is no size any more.
const LEAST_SCALED: u64 = 16;

/// The least size that is tried: below, start and end of the program are all there is.
const LEAST: f64 = 8.0;

/// The largest of the smaller sizes, as a share of the given one: five of a linear program then execute under a tenth of its
/// operators.
const LARGEST_SHARE: f64 = 1.0 / 32.0;

/// Sizes up to this are tried of small numbers, up to a quarter of them: no program that is worth a trial is short there.
const CHEAP: f64 = 64.0;

/// Compilers unroll and vectorise loops by powers of two up to this, whose remainders a smaller run should share.
pub(super) const UNROLLED: u64 = 8;

/// Sizes tried of a number.
const SIZES: usize = 5;

/// Arguments of five smaller runs, by rising size, and the numbers of the run as it was asked for. `None` where no number
/// could be a size, or more than two could. Sizes are `shrink` times as small as they need to be (at least 1), for runs so
/// long that a small share of them is long, too.
///
/// Powers of two stay powers of two, since programs may want them; other sizes keep the remainder by 8. Of two numbers the
/// first takes three values and the second two.
#[must_use]
pub fn smaller(arguments: &[String], shrink: f64) -> Option<(Vec<Smaller>, Vec<f64>)> {
    let with_ladder = |size: Size| ladder(size.value, shrink).map(|ladder| (size, ladder));
    let (sizes, ladders): (Vec<Size>, Vec<Vec<u64>>) = sizes(arguments).into_iter().filter_map(with_ladder).unzip();
    let steps: &[&[usize]] = match sizes.len() {
        1 => &[&[0], &[1], &[2], &[3], &[4]],
        2 => &[&[0, 0], &[2, 0], &[0, 2], &[2, 2], &[4, 0]],
        _ => return None,
    };
    let scaled = |step: &&[usize]| {
        let values: Vec<u64> = ladders.iter().zip(*step).map(|(ladder, rung)| ladder[*rung]).collect();
        resized(arguments, &sizes, &values)
    };
    let runs = steps.iter().map(scaled).collect();
    Some((runs, sizes.iter().map(|size| size.value as f64).collect()))
}

/// A number among the arguments that could be a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// Which argument it is in.
    pub at: usize,
    /// What stands before its digits.
    pub prefix: String,
    /// Its value.
    pub value: u64,
}

impl Size {
    /// Whether a number is large enough to be one.
    #[must_use]
    pub fn fits(value: u64) -> bool {
        value >= LEAST_SCALED
    }
}

/// The arguments with other sizes in their places.
#[must_use]
pub fn resized(arguments: &[String], sizes: &[Size], values: &[u64]) -> Smaller {
    let mut arguments = arguments.to_vec();
    for (size, value) in sizes.iter().zip(values) {
        arguments[size.at] = format!("{}{value}", size.prefix);
    }
    Smaller { arguments, numbers: values.iter().map(|value| *value as f64).collect() }
}

/// Every number that could be a size.
#[must_use]
pub fn sizes(arguments: &[String]) -> Vec<Size> {
    let of = |(at, text): (usize, &String)| size(text).map(|(prefix, value)| Size { at, prefix, value });
    arguments.iter().enumerate().filter_map(of).collect()
}

/// What stands before the digits that end an argument, and their value: of `1000`, `--size=1000` and `-n1000`, not of `-3` or
/// `file7`.
fn size(text: &str) -> Option<(String, u64)> {
    let digits = text.len() - text.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (prefix, number) = text.split_at(digits);
    let flag = |prefix: &str| {
        prefix.len() > 1
            && prefix.starts_with('-')
            && prefix.bytes().all(|byte| byte == b'-' || byte.is_ascii_alphabetic())
    };
    let value = number.parse().ok().filter(|value| Size::fits(*value))?;
    (prefix.is_empty() || prefix.ends_with('=') || flag(prefix)).then(|| (prefix.to_owned(), value))
}

/// Five sizes below a number, rising.
fn ladder(value: u64, shrink: f64) -> Option<Vec<u64>> {
    let whole = value as f64;
    if value.is_power_of_two() {
        let first = ((whole / 512.0 / shrink).max(LEAST) as u64).next_power_of_two();
        let sizes: Vec<u64> = (0..SIZES as u32).map(|step| first << step).collect();
        return sizes.iter().all(|size| size * 2 <= value).then_some(sizes);
    }
    let low = LEAST.max(whole * LARGEST_SHARE / 4.0 / shrink);
    let high = (whole * LARGEST_SHARE / shrink).max(CHEAP.min(whole / 4.0));
    let high = if high > 1.5 * low { high } else { whole / 2.0 };
    let step = (high / low).powf(1.0 / (SIZES - 1) as f64);
    let mut sizes: Vec<u64> = (0..SIZES as i32).map(|at| alike((low * step.powi(at)).round() as u64, value)).collect();
    sizes.dedup();
    (sizes.len() == SIZES && sizes.iter().all(|size| *size < value)).then_some(sizes)
}

/// The size nearest below that has the value's remainder, where the size is large enough for that to change little.
pub(super) fn alike(size: u64, value: u64) -> u64 {
    if size < 8 * UNROLLED { size } else { size - (size + UNROLLED - value % UNROLLED) % UNROLLED }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &str, expected: &[&str]) {
        let arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
        let runs = smaller(&arguments, 1.0).map_or_else(Vec::new, |(runs, _)| runs);
        let lines: Vec<String> = runs.iter().map(|run| run.arguments.join(" ")).collect();
        assert_eq!(lines, expected, "{arguments:?}");
    }

    #[test]
    fn numbers_become_smaller_and_all_else_stays() {
        check(
            "--fast 8000000 out.txt",
            &[
                "--fast 62496 out.txt",
                "--fast 88384 out.txt",
                "--fast 125000 out.txt",
                "--fast 176776 out.txt",
                "--fast 250000 out.txt",
            ],
        );
        check("--size=4096", &["--size=8", "--size=16", "--size=32", "--size=64", "--size=128"]);
        check("-n30", &["-n8", "-n9", "-n11", "-n13", "-n15"]);
        check("280 60", &["8 8", "23 8", "8 11", "23 11", "64 8"]);
    }

    #[test]
    fn what_is_no_size_is_left_alone() {
        for arguments in ["", "7", "-3", "file1000", "a b c", "1000 2000 3000"] {
            check(arguments, &[]);
        }
    }

    #[test]
    fn five_runs_of_a_linear_program_take_under_a_tenth() {
        for value in [5000, 12_345, 1_000_000, 1 << 20] {
            let sizes = ladder(value, 1.0).unwrap();
            assert!(sizes.iter().sum::<u64>() * 10 < value, "{value}: {sizes:?}");
            assert!(sizes.windows(2).all(|pair| pair[0] < pair[1]));
            let shrunk = ladder(value, 16.0).unwrap();
            assert!(shrunk[0] < sizes[0] && shrunk[4] < sizes[4] && shrunk[0] >= LEAST as u64);
        }
    }
}
