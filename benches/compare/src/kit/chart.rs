//! The results as a picture: how many times cheaper ours is, on a logarithmic scale.
//!
//! ```text
//!                               0.5      1      2      5
//!   mutex_contended              .   ><   |     ----o----     4.07   8.8 : 35.6 ns   mid
//!   py_lock_with    accelerator  skipped: why
//!                   ctypes       .   --o--|  ><  .      .     0.45   ...
//! ```
//!
//! The disc is the median, the line beside it the least and the most of a pair, the wedges
//! what is asked. Colours follow the reader's light or dark scheme, and say nothing that
//! shapes and words do not.

use std::fmt::Write;

use super::report::number;
use super::row::Row;

const WIDTH: f64 = 1310.0;
/// Left edges of the columns.
const NAME: f64 = 24.0;
const VARIANT: f64 = 236.0;
const PLOT: f64 = 322.0;
const FIGURE: f64 = 770.0;
const COSTS: f64 = 832.0;
const REGIME: f64 = 984.0;
const AGAINST: f64 = 1048.0;

const PLOT_END: f64 = 748.0;
/// Where the first row begins, and how high rows are.
const HEAD: f64 = 116.0;
const ROW: f64 = 24.0;

const STYLE: &str = "
  text { font: 13px system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328; }
  .title { font-size: 18px; font-weight: 600; }
  .soft { fill: #59636e; }
  .skipped { fill: #59636e; font-style: italic; }
  .paper { fill: #ffffff; }
  .stripe { fill: #f3f5f7; }
  .grid { stroke: #d1d9e0; }
  .even { stroke: #59636e; }
  .asked { fill: #59636e; }
  .met { stroke: #1a7f37; fill: #1a7f37; }
  .missed { stroke: #bc4c00; fill: #ffffff; }
  .free { stroke: #0969da; fill: #0969da; }
  text.missed { stroke: none; fill: #bc4c00; font-weight: 600; }
  .range { stroke-width: 3; stroke-opacity: 0.55; stroke-linecap: round; }
  .median { stroke-width: 2; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .soft, .skipped { fill: #9198a1; }
    .paper { fill: #0d1117; }
    .stripe { fill: #151b23; }
    .grid { stroke: #2f353d; }
    .even { stroke: #9198a1; }
    .asked { fill: #9198a1; }
    .met { stroke: #3fb950; fill: #3fb950; }
    .missed { stroke: #f0883e; fill: #0d1117; }
    .free { stroke: #4493f8; fill: #4493f8; }
    text.missed { fill: #f0883e; }
  }
";

/// Draws all rows, as an SVG document.
pub fn draw(rows: &[Row]) -> String {
    let scale = Scale::of(rows);
    let height = HEAD + ROW * rows.len() as f64 + 20.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n\
         <title>atoll against its peers</title>\n<style>{STYLE}</style>\n\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>\n"
    );
    head(&mut svg, &scale);
    stripes(&mut svg, rows);
    for (n, row) in rows.iter().enumerate() {
        let before = n.checked_sub(1).map(|before| &rows[before]);
        line(&mut svg, &scale, row, before, HEAD + ROW * (n as f64 + 0.5));
    }
    svg + "</svg>\n"
}

/// Every other comparison on a ground of its own, twins on the same.
fn stripes(svg: &mut String, rows: &[Row]) {
    let mut is_striped = false;
    for (n, row) in rows.iter().enumerate() {
        is_striped ^= n > 0 && !is_twin(&rows[n - 1], row);
        if is_striped {
            let [y, width] = [HEAD + ROW * n as f64, WIDTH - 24.0];
            let _ = writeln!(
                svg,
                "<rect class=\"stripe\" x=\"12\" y=\"{y}\" width=\"{width}\" height=\"{ROW}\"/>"
            );
        }
    }
}

/// The title, what the marks mean, and the scale.
fn head(svg: &mut String, scale: &Scale) {
    text(svg, NAME, 34.0, "title", "How many times cheaper than the peer");
    let y = 62.0;
    let mut x = NAME;
    for (class, meaning) in [("met", "met"), ("missed", "missed"), ("free", "nothing asked")] {
        median(svg, class, x + 6.0, y);
        text(svg, x + 20.0, y, "soft", &format!("median, {meaning}"));
        x += 76.0 + 8.0 * meaning.len() as f64 + 20.0;
    }
    range(svg, "free", [x, x + 36.0], y);
    text(svg, x + 46.0, y, "soft", "least to most");
    asked(svg, x + 160.0, y);
    text(svg, x + 174.0, y, "soft", "asked");
    text(svg, scale.x(1.0) - 66.0, 86.0, "soft", "← dearer");
    text(svg, scale.x(1.0) + 8.0, 86.0, "soft", "cheaper →");
    for tick in scale.ticks() {
        let x = scale.x(tick);
        let _ = writeln!(
            svg,
            "<text class=\"soft\" x=\"{x:.1}\" y=\"107\" text-anchor=\"middle\">{tick}</text>"
        );
    }
    text(svg, FIGURE, 102.0, "soft", "median");
    text(svg, COSTS, 102.0, "soft", "ours : peer");
    text(svg, REGIME, 102.0, "soft", "regime");
    text(svg, AGAINST, 102.0, "soft", "peer");
}

/// The part of the grid that lies under a row.
fn grid(svg: &mut String, scale: &Scale, y: f64) {
    for tick in scale.ticks() {
        let x = scale.x(tick);
        let class = if tick == 1.0 { "even" } else { "grid" };
        let _ = writeln!(
            svg,
            "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{}\" y2=\"{}\"/>",
            y - ROW / 2.0,
            y + ROW / 2.0
        );
    }
}

/// One row. Of rows that are variants of each other only the first has its name.
fn line(svg: &mut String, scale: &Scale, row: &Row, before: Option<&Row>, y: f64) {
    let _ = writeln!(svg, "<g><title>{}</title>", escaped(&in_words(row)));
    if !before.is_some_and(|before| is_twin(before, row)) {
        text(svg, NAME, y, "", row.name);
    }
    text(svg, VARIANT, y, "soft", row.variant.unwrap_or(""));
    if let Some(reason) = &row.skipped {
        text(svg, PLOT + 8.0, y, "skipped", &shortened(&format!("skipped: {reason}")));
    } else if let Some(advantage) = row.advantage {
        compared(svg, scale, row, advantage, y);
    } else {
        let ends = [row.min, row.max].map(number).join(" to ");
        text(svg, PLOT + 8.0, y, "soft", &format!("reported; {ends} {}", row.unit));
        text(svg, COSTS, y, "", &format!("{} {}", number(row.ours), row.unit));
    }
    svg.push_str("</g>\n");
}

fn compared(svg: &mut String, scale: &Scale, row: &Row, advantage: f64, y: f64) {
    let class = match row.is_met() {
        Some(true) => "met",
        Some(false) => "missed",
        None => "free",
    };
    grid(svg, scale, y);
    let ends = [row.min, row.max].map(|end| scale.x(end.unwrap_or(advantage)));
    range(svg, class, ends, y);
    if let Some(target) = row.target {
        asked(svg, scale.x(target), y);
    }
    median(svg, class, scale.x(advantage), y);
    let verdict = if class == "missed" { "missed" } else { "" };
    text(svg, FIGURE, y, verdict, &number(row.advantage));
    let costs = format!("{} : {} {}", number(row.ours), number(row.peer), row.unit);
    text(svg, COSTS, y, "", &costs);
    text(svg, REGIME, y, "soft", row.regime.unwrap_or(""));
    text(svg, AGAINST, y, "soft", row.peer_name.unwrap_or(""));
}

/// Whether both are the same comparison, done in two ways.
fn is_twin(one: &Row, other: &Row) -> bool {
    one.variant.is_some() && other.variant.is_some() && other.name.starts_with(one.name)
}

/// What a reader sees who points at a row.
fn in_words(row: &Row) -> String {
    let Row { name, unit, .. } = row;
    if let Some(reason) = &row.skipped {
        return format!("{name} skipped: {reason}");
    }
    let [ours, peer, advantage, least, most] =
        [row.ours, row.peer, row.advantage, row.min, row.max].map(number);
    let pairs = row.runs.len();
    match row.peer_name {
        Some(other) => format!(
            "{name}: {advantage} ({least} to {most}), {ours} {unit} against {peer} {unit} of {other}; \
             {pairs} pairs"
        ),
        None => format!("{name}: {ours} {unit} ({least} to {most})"),
    }
}

fn median(svg: &mut String, class: &str, x: f64, y: f64) {
    let _ =
        writeln!(svg, "<circle class=\"median {class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\"/>");
}

fn range(svg: &mut String, class: &str, [from, to]: [f64; 2], y: f64) {
    let _ = writeln!(
        svg,
        "<line class=\"range {class}\" x1=\"{from:.1}\" x2=\"{to:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"
    );
}

/// Two wedges that point at what is asked.
fn asked(svg: &mut String, x: f64, y: f64) {
    let _ = writeln!(
        svg,
        "<path class=\"asked\" d=\"M{x:.1} {:.1} l-4.5 -7.5 h9 z M{x:.1} {:.1} l-4.5 7.5 h9 z\"/>",
        y - 3.0,
        y + 3.0
    );
}

/// Text in the middle of a row.
fn text(svg: &mut String, x: f64, y: f64, class: &str, words: &str) {
    let words = escaped(words);
    let _ =
        writeln!(svg, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{:.1}\">{words}</text>", y + 4.5);
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What fits the plot; all of it is there for who points at it.
fn shortened(words: &str) -> String {
    const MOST: usize = 72;
    match words.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words.to_owned(),
    }
}

/// From advantages to places in the plot.
struct Scale {
    least: f64,
    most: f64,
}

impl Scale {
    /// Takes in all medians, what is asked, and 1. The extremes of a row may lie outside:
    /// a single pair must not squeeze all the others.
    fn of(rows: &[Row]) -> Self {
        let seen = rows.iter().filter(|row| row.skipped.is_none() && row.advantage.is_some());
        let seen = seen.flat_map(|row| [row.advantage, row.target]).flatten().filter(|a| *a > 0.0);
        let seen: Vec<f64> = seen.collect();
        let least = seen.iter().copied().fold(1.0, f64::min) / 2.0;
        let most = seen.iter().copied().fold(1.0, f64::max) * 2.0;
        Self { least, most }
    }

    fn x(&self, advantage: f64) -> f64 {
        let share = (advantage.clamp(self.least, self.most) / self.least).ln()
            / (self.most / self.least).ln();
        PLOT + share * (PLOT_END - PLOT)
    }

    /// 1, 10 and so on, with 2 and 5 between them if there is room.
    fn ticks(&self) -> Vec<f64> {
        const POWERS: [f64; 9] = [1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4];
        let is_wide = self.x(10.0 * self.least) - PLOT > 90.0;
        let steps: &[f64] = if is_wide { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let all = POWERS.iter().flat_map(|power| steps.iter().map(move |step| power * step));
        all.filter(|tick| (self.least..=self.most).contains(tick)).collect()
    }
}
