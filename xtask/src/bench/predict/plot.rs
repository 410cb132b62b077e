//! The calibration plot: what was foretold against what was measured, with intervals, as SVG. Called by `predict`.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::score::Row;
use crate::process::{Outcome, While};

/// Width and height of the drawing, and of the margin that holds the labels, in pixels.
const SIDE: f64 = 640.0;
const MARGIN: f64 = 60.0;

/// Draws the rows on logarithmic scales of seconds, and the lines of a perfect prediction and of a factor of two.
///
/// # Errors
/// The file cannot be written.
pub fn write(rows: &[Row], path: &Path) -> Outcome {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).doing("making the folder of the plot")?;
    }
    fs::write(path, svg(rows)).doing(format_args!("writing {}", path.display()))
}

/// The decades that hold all values.
fn decades(rows: &[Row]) -> (f64, f64) {
    let values = rows.iter().flat_map(|row| [row.truth, row.expected]).filter(|value| *value > 0.0);
    let (low, high) = values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    if low > high { (-2.0, 2.0) } else { (low.log10().floor(), high.log10().ceil().max(low.log10().floor() + 1.0)) }
}

fn svg(rows: &[Row]) -> String {
    let (first, last) = decades(rows);
    let place = |value: f64| ((value.max(1e-12).log10() - first) / (last - first)).clamp(0.0, 1.0) * SIDE;
    let (x, y) = (|value: f64| MARGIN + place(value), |value: f64| MARGIN + SIDE - place(value));
    let whole = SIDE + 2.0 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole} {whole}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"{whole}\" height=\"{whole}\" fill=\"#fff\"/>\n"
    );
    for decade in first as i32..=last as i32 {
        let value = 10.0_f64.powi(decade);
        let (at, up) = (x(value), y(value));
        let label =
            if decade < 0 { format!("{:.*}", decade.unsigned_abs() as usize, value) } else { format!("{value:.0}") };
        let end = MARGIN + SIDE;
        let _ = writeln!(
            out,
            "<path d=\"M{at:.1} {MARGIN}V{end}M{MARGIN} {up:.1}H{end}\" stroke=\"#ddd\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            end + 18.0,
            MARGIN - 8.0,
            up + 4.0
        );
    }
    let (low, high) = (10.0_f64.powf(first), 10.0_f64.powf(last));
    for (factor, dash) in [(1.0, "none"), (0.5, "4 4"), (2.0, "4 4")] {
        let (from, to) = ((low / f64::min(factor, 1.0)).max(low), high / f64::max(factor, 1.0));
        let _ = writeln!(
            out,
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#888\" stroke-dasharray=\"{dash}\"/>",
            x(from),
            y(from * factor),
            x(to),
            y(to * factor)
        );
    }
    for row in rows {
        let colour = match row.kind.as_str() {
            "wasm" => "#1f6fb4",
            "python" => "#c8642a",
            _ => "#4a8f3c",
        };
        let _ = writeln!(
            out,
            "<g stroke=\"{colour}\" fill=\"{colour}\"><title>{} on {}</title><line x1=\"{at:.1}\" x2=\"{at:.1}\" \
             y1=\"{:.1}\" y2=\"{:.1}\" stroke-opacity=\"0.35\"/><circle cx=\"{at:.1}\" cy=\"{:.1}\" r=\"3\"/></g>",
            row.pair,
            row.configuration,
            y(row.low),
            y(row.high),
            y(row.expected),
            at = x(row.truth)
        );
    }
    let middle = MARGIN + SIDE / 2.0;
    let _ = writeln!(
        out,
        "<text x=\"{middle}\" y=\"{:.1}\" text-anchor=\"middle\">CPU seconds measured</text>\
         <text x=\"16\" y=\"{middle}\" text-anchor=\"middle\" transform=\"rotate(-90 16 {middle})\">CPU seconds foretold, \
         with the 90 % interval</text>\n</svg>",
        whole - 14.0
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_prediction_lies_on_the_diagonal() {
        let row = Row {
            pair: "a-1".to_owned(),
            program: "a".to_owned(),
            kind: "wasm".to_owned(),
            configuration: "winch".to_owned(),
            basis: "emulated".to_owned(),
            chosen: true,
            truth: 1.0,
            expected: 1.0,
            low: 0.5,
            high: 2.0,
        };
        let drawn = svg(&[Row { truth: 100.0, expected: 100.0, ..row.clone() }, row]);
        // 1 s is the left end of three decades, 100 s the right one.
        assert!(drawn.contains("cx=\"60.0\" cy=\"700.0\"") && drawn.contains("cx=\"700.0\" cy=\"60.0\""), "{drawn}");
        assert!(drawn.contains("a-1 on winch") && drawn.ends_with("</svg>\n"));
        assert!(svg(&[]).contains("seconds"));
    }
}
