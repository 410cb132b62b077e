//! Smaller inputs made of a given one: numbers in its arguments scaled down. Pure: whether to run them is decided elsewhere.

/// Arguments of a smaller run.
#[derive(Debug, Clone, PartialEq)]
pub struct Smaller {
    /// The arguments.
    pub arguments: Vec<String>,
    /// The numbers that were scaled, in order.
    pub numbers: Vec<f64>,
}

/// Numbers below this are kept: what is scaled down from them is no size any more. Of two digits are what enumerates (queens on a
/// board), in seconds.
const LEAST_SCALED: u64 = 10;

/// Compilers unroll and vectorise loops by powers of two up to this, whose remainders a smaller run should share.
pub(super) const UNROLLED: u64 = 8;

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

/// The size nearest below that has the value's remainder, where the size is large enough for that to change little.
pub(super) fn alike(size: u64, value: u64) -> u64 {
    if size < 8 * UNROLLED { size } else { size - (size + UNROLLED - value % UNROLLED) % UNROLLED }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The arguments with each number that could be a size halved.
    fn check(arguments: &str, expected: &str) {
        let arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
        let sizes = sizes(&arguments);
        let halves: Vec<u64> = sizes.iter().map(|size| size.value / 2).collect();
        let smaller = resized(&arguments, &sizes, &halves);
        assert_eq!(smaller.arguments.join(" "), expected, "{arguments:?}");
        assert_eq!(smaller.numbers.len(), sizes.len());
    }

    #[test]
    fn numbers_become_smaller_and_all_else_stays() {
        check("--fast 8000000 out.txt", "--fast 4000000 out.txt");
        check("--size=4096", "--size=2048");
        check("-n30", "-n15");
        check("280 60", "140 30");
    }

    #[test]
    fn what_is_no_size_is_left_alone() {
        for arguments in ["", "7", "-3", "file1000", "a b c"] {
            check(arguments, arguments);
        }
    }

    #[test]
    fn large_sizes_keep_their_remainder() {
        assert_eq!((alike(1000, 12_345), alike(1001, 12_345), alike(30, 12_345)), (993, 1001, 30));
    }
}
