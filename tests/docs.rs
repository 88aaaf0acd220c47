//! What documents say of the code, as far as a program can tell.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use atoll::{Segment, SegmentOptions};

fn tree(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Offset, bytes and name of each field, by struct.
type Layout = BTreeMap<String, Vec<(u64, u64, String)>>;

/// The layout as the golden file has it: a field ends where the next one begins.
fn golden_layout() -> Layout {
    let mut layout = Layout::new();
    let mut name = String::new();
    let mut end = 0;
    for line in read(tree("tests/golden/layout.txt")).lines() {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            [of, "size", size, "align", _] => {
                (name, end) = (of.to_owned(), size.parse().expect("a size"));
            }
            [offset, field, ..] if !name.is_empty() => {
                let offset = offset.parse().expect("an offset");
                let fields = layout.entry(name.clone()).or_default();
                if let Some((last, bytes, _)) = fields.last_mut() {
                    *bytes = offset - *last;
                }
                fields.push((offset, end - offset, field.to_owned()));
            }
            _ => {}
        }
    }
    assert!(layout.len() > 5, "these cannot be all structs: {:?}", layout.keys());
    layout
}

/// The cells of a table's row.
fn cells(line: &str) -> Option<Vec<&str>> {
    let row = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(row.split('|').map(str::trim).collect())
}

/// The layout as docs/memory.md has it: a chapter with a table for each struct.
fn documented_layout() -> Layout {
    let mut layout = Layout::new();
    for chapter in read(tree("docs/memory.md")).split("\n## ").skip(1) {
        let fields = chapter.lines().filter_map(cells).filter_map(|cells| match cells[..] {
            [offset, bytes, field, _] => {
                let field = field.strip_prefix('`')?.strip_suffix('`')?;
                Some((offset.parse().ok()?, bytes.parse().ok()?, field.to_owned()))
            }
            _ => None,
        });
        let fields: Vec<_> = fields.collect();
        if !fields.is_empty() {
            let name = chapter.lines().next().expect("a heading");
            layout.insert(name.to_owned(), fields);
        }
    }
    layout
}

#[test]
fn the_memory_map_is_the_golden_one() {
    let (golden, documented) = (golden_layout(), documented_layout());
    let names = |layout: &Layout| layout.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&documented), names(&golden), "structs in docs/memory.md, and in the layout");
    for (name, fields) in golden {
        assert_eq!(documented[&name], fields, "{name} in docs/memory.md, and in the layout");
    }
}

#[test]
fn an_empty_segment_is_as_drawn() {
    let name = format!("atoll-test-{}-docs", std::process::id());
    let segment = Segment::create(&name, &SegmentOptions::default()).expect("create");
    Segment::unlink(&name).expect("unlink");
    let info = segment.info().expect("info");
    let roster = golden_layout()["Block"].last().map(|(last, bytes, _)| last + bytes);
    let roster = roster.expect("a field");
    let free_from = info.used - roster;
    let rows = [
        format!("| {free_from} | {} | one free block |", info.largest_free),
        format!("| {} | | `committed` and `top`;", info.committed - roster),
        format!("| size - {roster} | {roster} | the first block of the roster |"),
    ];
    let drawn = read(tree("docs/memory.md"));
    for row in rows {
        assert!(drawn.contains(&format!("\n{row}")), "a row of the first table: {row}");
    }
}

#[test]
fn the_layout_has_the_version_that_it_is_said_to_have() {
    let golden = read(tree("tests/golden/layout.txt"));
    let version = golden.split_whitespace().nth(1).expect("version N fingerprint ...");
    let memory = read(tree("docs/memory.md"));
    assert!(
        memory.contains(&format!("\nAll numbers are little-endian. Layout version {version}."))
    );
    let field = format!("| `layout_version` | {version} |");
    assert!(memory.contains(&field), "the header's row: {field}");
    let changes = read(tree("CHANGELOG.md"));
    let (_, layout) = changes.split_once("\n### Layout\n").expect("what changed in the layout");
    assert!(layout.trim_start().starts_with(&format!("- Version {version}")), "in CHANGELOG.md");
}

/// The packages under a heading of Cargo.toml.
fn packages(heading: &str) -> Vec<String> {
    let manifest = read(tree("Cargo.toml"));
    let Some((_, rest)) = manifest.split_once(&format!("\n[{heading}]\n")) else {
        return Vec::new();
    };
    let section = rest.split("\n[").next().expect("a section");
    let names = section.lines().filter_map(|line| line.split_once('='));
    names.map(|(name, _)| name.trim().to_owned()).collect()
}

#[test]
fn every_dependency_is_accounted_for() {
    let text = read(tree("docs/architecture.md"));
    let (_, table) = text.split_once("\n## Dependencies\n").expect("a chapter on dependencies");
    let listed = table
        .lines()
        .filter_map(cells)
        .filter_map(|cells| Some(cells[0].strip_prefix('`')?.strip_suffix('`')?.to_owned()));
    let headings = ["dependencies", "build-dependencies", "dev-dependencies"];
    let mut there: Vec<String> = headings.into_iter().flat_map(packages).collect();
    let mut listed: Vec<String> = listed.collect();
    there.sort();
    listed.sort();
    assert!(there.len() >= 3, "these cannot be all: {there:?}");
    assert_eq!(listed, there, "in docs/architecture.md, and in Cargo.toml");
}

/// Our documents.
fn documents() -> Vec<PathBuf> {
    let folders = ["", "demo", "docs", "docs/decisions", "models"];
    let entries = folders.into_iter().flat_map(|folder| {
        fs::read_dir(tree(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"))
    });
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect()
}

#[test]
fn every_command_of_the_front_door_is_there() {
    let makefile = read(tree("Makefile"));
    let documents: Vec<String> = documents().iter().map(read).collect();
    let named = documents.iter().flat_map(|text| text.split("`make ").skip(1));
    let named = named.map(|rest| rest.split(['`', ' ']).next().expect("a word"));
    let missing = named.clone().find(|target| !makefile.contains(&format!("\n{target}:")));
    assert_eq!(missing, None, "a target that documents name and the Makefile does not have");
    assert!(named.count() > 5, "these cannot be all commands");
}

/// The words of a text that begin so.
fn words<'t>(text: &'t str, beginning: &'t str) -> impl Iterator<Item = &'t str> {
    let is_end = |c: char| !c.is_alphanumeric() && c != '_';
    let starts = text.match_indices(beginning).map(|(start, _)| start);
    let starts = starts.filter(move |start| text[..*start].chars().next_back().is_none_or(is_end));
    starts.map(move |start| {
        let rest = &text[start + beginning.len()..];
        &text[start..start + beginning.len() + rest.find(is_end).unwrap_or(rest.len())]
    })
}

/// What names begin with in each language, and where they are declared.
const INTERFACES: [(&str, &[&str]); 3] = [
    ("atoll_", &["include/atoll.h", "include/atoll/inline.h"]),
    ("atoll::", &["include/atoll.hpp"]),
    ("atoll.", &["python/atoll/__init__.py"]),
];

#[test]
fn every_function_that_is_named_is_there() {
    for (beginning, files) in INTERFACES {
        let interface: String = files.iter().map(|file| read(tree(file))).collect();
        let mut named = 0;
        for document in documents() {
            let text = read(&document);
            for word in words(&text, beginning) {
                let name = word.strip_prefix("atoll::").or(word.strip_prefix("atoll."));
                let name = name.unwrap_or(word);
                // A file, the end of a sentence, or a type of the crate of the same name.
                let is_rust = beginning == "atoll::" && name.starts_with(char::is_uppercase);
                if is_rust || ["", "h", "hpp"].contains(&name) {
                    continue;
                }
                named += 1;
                let is_there = words(&interface, name).any(|there| there == name);
                assert!(is_there, "{} names {word}: not in {files:?}", document.display());
            }
        }
        assert!(named > 10, "these cannot be all names: {named}");
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut links = 0;
    for document in documents() {
        for link in read(&document).split("](").skip(1) {
            let target = link.split([')', '#']).next().expect("an end");
            if target.contains("://") || target.is_empty() {
                continue;
            }
            links += 1;
            let place = document.with_file_name(target);
            assert!(place.exists(), "{} links to {target}", document.display());
        }
    }
    assert!(links > 10, "these cannot be all links: {links}");
}
