//! The folder listing is the architecture: imports run only downwards, the operating
//! system is met in one place, and no file is two ideas.
//!
//! The rules are functions of a path and a text, so that the last test can show each
//! of them refusing a file that breaks it.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers, in order. A module may name itself and the layers before it.
const LAYERS: [&str; 8] =
    ["platform", "layout", "roster", "sync", "ring", "segment", "object", "ffi"];

/// What lies on top of all layers: what users see of the crate, and what benches see.
const TOP: [&str; 2] = ["lib.rs", "internals.rs"];

/// Only `platform` reaches past our own facade.
const PLATFORM_ONLY: [&str; 5] =
    ["libc::", "core::sync::atomic", "std::sync::atomic", "core::arch", "std::arch"];

/// Written in safe Rust, on top of the others.
const SAFE: &str = "object";

/// Past this many lines a file is two ideas.
const LONGEST_FILE: usize = 500;

/// A source file: where it is, and which layer that makes it.
struct Source {
    path: PathBuf,
    layer: Option<usize>,
    text: String,
}

impl Source {
    fn new(path: &Path, text: String) -> Self {
        let first = path.iter().next().and_then(|name| name.to_str());
        let layer = LAYERS.iter().position(|layer| first == Some(layer));
        Self { path: path.to_owned(), layer, text }
    }

    /// The text without comments, which may name anything.
    fn code(&self) -> impl Iterator<Item = &str> {
        self.text.lines().map(|line| line.split("//").next().unwrap_or(""))
    }

    fn says(&self, word: &str) -> bool {
        self.code().any(|line| line.contains(word))
    }

    fn complaint(&self, words: &str) -> String {
        format!("{}: {words}", self.path.display())
    }
}

type Rule = fn(&Source) -> Vec<String>;

/// What lies beside the layers is below all of them, but for what is on top.
fn imports_run_only_downwards(source: &Source) -> Vec<String> {
    let is_top = TOP.iter().any(|top| source.path == Path::new(top));
    let first_above = if is_top { LAYERS.len() } else { source.layer.map_or(0, |rank| rank + 1) };
    let mut complaints: Vec<String> = LAYERS[first_above..]
        .iter()
        .map(|above| format!("crate::{above}"))
        .filter(|name| source.says(name))
        .map(|name| source.complaint(&format!("names the layer above, `{name}`")))
        .collect();
    if source.says("crate::{") {
        complaints.push(source.complaint("hides layers in `crate::{`: one `use` for each"));
    }
    complaints
}

fn only_platform_meets_the_system(source: &Source) -> Vec<String> {
    if source.layer == Some(0) {
        return Vec::new();
    }
    let named = PLATFORM_ONLY.iter().filter(|name| source.says(name));
    named.map(|name| source.complaint(&format!("names `{name}`: `platform` does"))).collect()
}

fn objects_are_safe(source: &Source) -> Vec<String> {
    let is_safe = source.path.starts_with(SAFE);
    let complaint = || source.complaint("says `unsafe`: a layer below can do it");
    if is_safe && source.says("unsafe ") { vec![complaint()] } else { Vec::new() }
}

fn files_are_short(source: &Source) -> Vec<String> {
    match source.text.lines().count() {
        ..=LONGEST_FILE => Vec::new(),
        lines => vec![source.complaint(&format!("{lines} lines are two ideas"))],
    }
}

/// Every source file of the crate.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).expect("UTF-8");
            let inside = path.strip_prefix(&root).expect("below the root");
            sources.push(Source::new(inside, text));
        }
    }
    sources
}

fn holds(rule: Rule) {
    let complaints: Vec<String> = sources().iter().flat_map(rule).collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn every_folder_is_a_layer() {
    let sources = sources();
    for (rank, layer) in LAYERS.iter().enumerate() {
        let has_files = sources.iter().any(|source| source.layer == Some(rank));
        assert!(has_files, "the layer `{layer}` has no files");
    }
    let strays = sources.iter().filter(|s| s.layer.is_none() && s.path.iter().count() > 1);
    let strays: Vec<_> = strays.map(|source| &source.path).collect();
    assert!(strays.is_empty(), "in no layer: {strays:?}");
}

#[test]
fn layers_import_only_downwards() {
    holds(imports_run_only_downwards);
}

#[test]
fn libc_and_raw_atomics_are_the_platforms() {
    holds(only_platform_meets_the_system);
}

#[test]
fn object_has_no_unsafe() {
    holds(objects_are_safe);
}

#[test]
fn no_file_is_two_ideas() {
    holds(files_are_short);
}

#[test]
fn each_rule_refuses_what_breaks_it() {
    let refuses = |rule: Rule, path: &str, text: &str| {
        let source = Source::new(Path::new(path), text.to_owned());
        assert_eq!(rule(&source).len(), 1, "{path} passes with {text:?}");
    };
    let allows = |rule: Rule, path: &str, text: &str| {
        let source = Source::new(Path::new(path), text.to_owned());
        assert!(rule(&source).is_empty(), "{path} fails with {text:?}");
    };
    refuses(imports_run_only_downwards, "sync/mutex.rs", "use crate::segment::birth;");
    refuses(imports_run_only_downwards, "error.rs", "use crate::platform::time;");
    refuses(imports_run_only_downwards, "ffi/guard.rs", "use crate::{error, roster};");
    allows(imports_run_only_downwards, "sync/mutex.rs", "use crate::roster; // crate::ffi");
    allows(imports_run_only_downwards, "lib.rs", "pub use crate::object::mutex::Mutex;");
    allows(imports_run_only_downwards, "internals.rs", "use crate::segment::limbo;");
    refuses(imports_run_only_downwards, "error.rs", "use crate::segment::limbo;");
    refuses(only_platform_meets_the_system, "sync/mutex.rs", "libc::getpid()");
    refuses(only_platform_meets_the_system, "lib.rs", "use std::sync::atomic::AtomicBool;");
    allows(only_platform_meets_the_system, "platform/file.rs", "libc::open()");
    refuses(objects_are_safe, "object/array.rs", "unsafe impl Send for Array {}");
    allows(objects_are_safe, "object/array.rs", "// no unsafe here");
    allows(objects_are_safe, "ffi/array.rs", "unsafe { here() }");
    refuses(files_are_short, "object/array.rs", &"\n".repeat(LONGEST_FILE + 1));
    allows(files_are_short, "object/array.rs", &"\n".repeat(LONGEST_FILE));
}
