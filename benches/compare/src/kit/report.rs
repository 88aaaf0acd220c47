//! The results, for programs and for people.

use std::path::Path;

use super::row::Row;
use super::{Result, chart};

/// Writes all rows as JSON and as a picture.
pub fn write(rows: &[Row], json: &Path, picture: &Path) -> Result<()> {
    replace(json, serde_json::to_string_pretty(rows)? + "\n")?;
    replace(picture, chart::draw(rows))
}

/// Readers see the old file or the new one.
fn replace(path: &Path, contents: String) -> Result<()> {
    let half_done = path.with_extension("new");
    std::fs::write(&half_done, contents)?;
    Ok(std::fs::rename(half_done, path)?)
}

/// The heading of the table.
pub fn print_heading() {
    println!(
        "{:<26} {:>5} {:>10} {:>10} {:>9} {:>6}  {:<7} {:<6} {:>5}  against",
        "", "unit", "ours", "peer", "advantage", "asked", "", "regime", "runs"
    );
}

/// A row of the table.
pub fn print_row(row: &Row) {
    if let Some(reason) = &row.skipped {
        println!("{:<26} skipped: {reason}", row.name);
        return;
    }
    let verdict = match row.is_met() {
        Some(true) => "met",
        Some(false) => "missed",
        None => "",
    };
    println!(
        "{:<26} {:>5} {:>10} {:>10} {:>9} {:>6}  {:<7} {:<6} {:>5}  {}",
        row.name,
        row.unit,
        number(row.ours),
        number(row.peer),
        number(row.advantage),
        number(row.target),
        verdict,
        row.regime.unwrap_or(""),
        row.runs.len(),
        row.peer_name.unwrap_or("(reported)"),
    );
    for (what, value) in row.extra.iter().filter(|(_, value)| !value.is_null()) {
        println!("{:28}{what}: {value}", "");
    }
}

/// A figure, or nothing.
pub fn number(value: Option<f64>) -> String {
    match value {
        None => String::new(),
        Some(value) if value.fract() == 0.0 && value >= 1000.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.2}"),
    }
}
