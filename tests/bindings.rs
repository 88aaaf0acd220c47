//! What other languages see is what the library is.
//!
//! The header and the Python declarations are generated from `src/ffi` and checked
//! in. Here they are compared with fresh ones, with each other, with the symbols of
//! the shared library, and with what C compilers and ctypes make of them.

use std::collections::BTreeSet;
use std::ffi::{CStr, c_char};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::{env, fs};

use atoll::{Type, TypeCode};

unsafe extern "C" {
    safe fn atoll_version() -> *const c_char;
    safe fn atoll_abi_fingerprint() -> u64;
}

const HEADER: &str = "include/atoll.h";
const PYTHON: &str = "python/atoll/_abi.py";
const SYMBOLS: &str = "tests/golden/symbols.txt";
const CURE: &str = "BLESS=1 cargo test --test bindings";

fn tree(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn generated(name: &str) -> String {
    read(&Path::new(env!("OUT_DIR")).join(name))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A file of the tree, renewed first if we were asked to.
fn checked_in(path: &str) -> String {
    static BLESSED: Once = Once::new();
    if env::var_os("BLESS").is_some_and(|value| value != "0") {
        BLESSED.call_once(bless);
    }
    read(&tree(path))
}

fn bless() {
    let old_symbols = fs::read_to_string(tree(SYMBOLS)).unwrap_or_default();
    let mut symbols = exported();
    symbols.extend(old_symbols.lines().map(str::to_owned)); // none is ever removed
    let symbols = symbols.into_iter().map(|name| name + "\n").collect();
    let renewed =
        [(HEADER, generated("atoll.h")), (PYTHON, generated("_abi.py")), (SYMBOLS, symbols)];
    for (path, text) in renewed {
        fs::write(tree(path), text).expect("the tree is writable");
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{errors}");
    assert!(errors.is_empty(), "{command:?} complains\n{errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A checked-in file is byte for byte what the build has just printed.
fn is_fresh(path: &str, fresh: &str) {
    let there = checked_in(path);
    let differs = there.lines().zip(fresh.lines()).position(|(a, b)| a != b);
    let line = differs.unwrap_or(there.lines().count().min(fresh.lines().count())) + 1;
    assert!(there == fresh, "{path} is stale from line {line} on; renew it: {CURE}");
}

#[test]
fn the_header_is_fresh() {
    is_fresh(HEADER, &generated("atoll.h"));
}

#[test]
fn the_python_declarations_are_fresh() {
    is_fresh(PYTHON, &generated("_abi.py"));
}

/// The names that the shared library exports.
fn exported() -> BTreeSet<String> {
    let beside_us = env::current_exe().expect("we have a path");
    let library = beside_us.with_file_name("libatoll.so");
    let lines = run(Command::new("nm").args(["-D", "--defined-only"]).arg(library));
    lines.lines().filter_map(|line| line.split(' ').nth(2)).map(str::to_owned).collect()
}

/// The header without comments.
fn declarations() -> String {
    let mut text = checked_in(HEADER);
    while let Some(start) = text.find("/*") {
        let length = text[start..].find("*/").expect("comments end") + 2;
        text.replace_range(start..start + length, "");
    }
    text
}

fn functions_of_header() -> BTreeSet<String> {
    let text = declarations();
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '(');
    words
        .filter_map(|word| word.split_once('('))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.starts_with("atoll_"))
        .collect()
}

fn functions_of_python() -> BTreeSet<String> {
    let text = checked_in(PYTHON);
    let names =
        text.lines().filter_map(|line| line.strip_prefix("    \"")?.split_once("\": lambda: ("));
    names.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn library_header_and_python_have_the_same_functions() {
    let exported = exported();
    assert!(exported.len() > 40, "these cannot be all: {exported:?}");
    assert_eq!(exported, functions_of_header(), "exported, and in the header");
    assert_eq!(exported, functions_of_python(), "exported, and in Python");
}

#[test]
fn a_function_that_was_there_is_still_there() {
    let exported = exported();
    let golden: BTreeSet<String> = checked_in(SYMBOLS).lines().map(str::to_owned).collect();
    let gone: Vec<_> = golden.difference(&exported).collect();
    assert!(gone.is_empty(), "programs that use {gone:?} break: put them back");
    let new: Vec<_> = exported.difference(&golden).collect();
    assert!(new.is_empty(), "{new:?} are new: note them in {SYMBOLS}: {CURE}");
}

/// Whether something that a C programmer meets begins in a line: a macro, a type, a
/// field, an enumerator, a function.
fn begins_item(line: &str, before: &str) -> bool {
    let parameter = before.ends_with(',') && !before.contains(" = ");
    let of_a_group = before.starts_with("#define ATOLL_TYPE_");
    match line.split_once(' ') {
        Some(("#define", name)) => name != "ATOLL_H" && !of_a_group,
        Some(("enum", _)) => true,
        Some(("typedef", rest)) => rest.starts_with("struct"),
        Some(("", _)) => line.starts_with("    ") && !parameter,
        _ => line.contains("atoll_") && line.contains('('),
    }
}

#[test]
fn every_public_item_has_a_comment() {
    let text = checked_in(HEADER);
    let (_, text) = text.split_once("#define ATOLL_H\n").expect("a guard");
    let (mut before, mut in_comment) = ("", false);
    let (mut count, mut bare) = (0, Vec::new());
    for line in text.lines() {
        in_comment |= line.trim_start().starts_with("/*");
        if !in_comment && begins_item(line, before) {
            count += 1;
            if !before.ends_with("*/") {
                bare.push(line);
            }
        }
        in_comment &= !line.ends_with("*/");
        before = line;
    }
    assert!(bare.is_empty(), "no comment on {bare:#?}");
    assert!(count > 150, "only {count} items were recognised");
}

#[test]
fn the_version_is_that_of_the_package() {
    let version = env!("CARGO_PKG_VERSION");
    assert!(checked_in(HEADER).contains(&format!("#define ATOLL_VERSION \"{version}\"\n")));
    assert!(checked_in(PYTHON).contains(&format!("\nVERSION = \"{version}\"\n")));
    // SAFETY: static text that ends with NUL.
    let told = unsafe { CStr::from_ptr(atoll_version()) };
    assert_eq!(told.to_str(), Ok(version));
}

#[test]
fn library_and_python_have_the_same_fingerprint() {
    let fingerprint = format!("\nABI_FINGERPRINT = {:#018x}\n", atoll_abi_fingerprint());
    assert!(checked_in(PYTHON).contains(&fingerprint), "expected{fingerprint}; renew it: {CURE}");
}

/// Writes a source file where tests may write.
fn source(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).expect("the target directory is writable");
    path
}

fn compiler(language: &str) -> Command {
    let (variable, default) = if language == "c" { ("CC", "cc") } else { ("CXX", "c++") };
    let mut command = Command::new(env::var(variable).unwrap_or_else(|_| default.into()));
    command.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-x", language]);
    command.arg("-I").arg(tree("include"));
    command
}

#[test]
fn the_header_compiles_in_every_standard() {
    let program = "#include <atoll.h>\n#include <atoll.h>\n\
        atoll_segment_options segment_options = ATOLL_SEGMENT_OPTIONS_INIT;\n\
        atoll_mutex_options mutex_options = ATOLL_MUTEX_OPTIONS_INIT;\n\
        atoll_type types[] = {ATOLL_TYPE_I8, ATOLL_TYPE_F64};\n\
        atoll_status status(void);\n\
        atoll_status status(void) { return atoll_segment_unlink(\"x\"); }\n";
    let path = source("standards.txt", program);
    for (language, standards) in
        [("c", ["c99", "c11", "c17", "c2x"]), ("c++", ["c++11", "c++14", "c++17", "c++20"])]
    {
        for standard in standards {
            let standard = format!("-std={standard}");
            run(compiler(language).args([&standard, "-fsyntax-only"]).arg(&path));
        }
    }
}

/// The first example in the manual after those words.
fn example_after(words: &str) -> String {
    let header = checked_in(HEADER);
    let (_, text) = header.split_once(words).expect("the words are there");
    text.lines()
        .map(|line| line.strip_prefix(" *     "))
        .skip_while(Option::is_none)
        .map_while(|line| line.map(|code| format!("{code}\n")))
        .collect()
}

#[test]
fn the_examples_in_the_manual_compile() {
    let (locking, changing) = (example_after("nothing to clean up."), example_after("not at all:"));
    assert!(locking.contains("atoll_mutex_lock"), "this is another example:\n{locking}");
    assert!(changing.contains("transaction_store"), "this is another example:\n{changing}");
    let program = format!(
        "#include <atoll.h>\nvoid repair_the_till(void);\nvoid use_the_till(void);\n\
         void shop(void);\nvoid shop(void) {{\n{locking}}}\n\
         void bank(atoll_mutex *, atoll_value *, atoll_value *);\n\
         void bank(atoll_mutex *mutex, atoll_value *left, atoll_value *right) {{\n\
         const int64_t less = 1, more = 2;\n{changing}}}\n"
    );
    let path = source("example.txt", &program);
    for language in ["c", "c++"] {
        run(compiler(language).arg("-fsyntax-only").arg(&path));
    }
}

/// The macros that begin a struct say what the library says.
#[test]
fn initialisers_agree_with_the_library() {
    const SCALARS: [(&str, TypeCode); 11] = [
        ("I8", TypeCode::I8),
        ("I16", TypeCode::I16),
        ("I32", TypeCode::I32),
        ("I64", TypeCode::I64),
        ("U8", TypeCode::U8),
        ("U16", TypeCode::U16),
        ("U32", TypeCode::U32),
        ("U64", TypeCode::U64),
        ("F32", TypeCode::F32),
        ("F64", TypeCode::F64),
        ("BOOL", TypeCode::Bool),
    ];
    let shows: String = SCALARS.map(|(name, _)| format!("    show({name});\n")).concat();
    let program = format!(
        "#include <atoll.h>\n#include <stdio.h>\n#include <string.h>\n\
         #define show(name) do {{ \\\n\
             atoll_type t = ATOLL_TYPE_##name; \\\n\
             printf(\"%u %u %d %d %s\\n\", t.code, t.align, (int)t.size, \\\n\
                    t.struct_size == sizeof t && t.code == ATOLL_##name && !t.reserved, \\\n\
                    t.format); \\\n\
         }} while (0)\n\
         #define show_options(type, init) do {{ \\\n\
             type begun = init, zero; \\\n\
             memset(&zero, 0, sizeof zero); \\\n\
             zero.struct_size = sizeof zero; \\\n\
             printf(\"%d\\n\", memcmp(&begun, &zero, sizeof zero) == 0); \\\n\
         }} while (0)\n\
         int main(void) {{\n{shows}\
             show_options(atoll_segment_options, ATOLL_SEGMENT_OPTIONS_INIT);\n\
             show_options(atoll_mutex_options, ATOLL_MUTEX_OPTIONS_INIT);\n\
             return 0;\n}}\n"
    );
    let expected: String = SCALARS
        .map(|(_, code)| {
            let ty = Type::scalar(code).expect("a scalar");
            format!("{} {} {} 1 {}\n", code as u32, ty.align(), ty.size(), ty.format())
        })
        .concat();
    assert_eq!(compile_and_run("initialisers", &program), expected + "1\n1\n");
}

fn compile_and_run(name: &str, program: &str) -> String {
    let path = source(&format!("{name}.txt"), program);
    let binary = path.with_extension("out");
    run(compiler("c").arg(path).arg("-o").arg(&binary));
    run(&mut Command::new(binary))
}

/// ctypes lays the structs out as C compilers do.
#[test]
fn structs_are_the_same_in_c_and_in_python() {
    if Command::new("python3").arg("--version").output().is_err() {
        return eprintln!("skipped: there is no python3");
    }
    let python = |what: &str| {
        run(Command::new("python3").arg("-B").arg(tree("tests/struct_layout.py")).arg(what))
    };
    let layout = compile_and_run("struct_layout", &python("c-program"));
    assert!(layout.lines().count() > 60, "too few fields:\n{layout}");
    assert_eq!(layout, python("ctypes"));
}
