//! The programs of docs/cpp.md: its blocks one after the other are one program, which prints
//! what the blocks of text between them say; a block that has a `main` is one by itself.

use programs::{Workshop, blocks, prints};

#[path = "support/programs.rs"]
mod programs;

/// A program, and what it is to print.
#[derive(Default)]
struct Told {
    program: String,
    text: String,
}

/// What a page tells in pieces, and the whole programs in it.
fn told(page: &str) -> (Told, Vec<Told>) {
    let (mut pieces, mut whole) = (Told::default(), Vec::new());
    let mut head = String::new();
    for (language, block) in blocks(page) {
        match language.as_str() {
            "cpp" if block.contains("int main()") => {
                whole.push(Told { program: block, text: String::new() });
            }
            "cpp" if block.starts_with("#include") => head.push_str(&block),
            "cpp" => pieces.program.push_str(&block),
            "text" => whole.last_mut().unwrap_or(&mut pieces).text.push_str(&block),
            other => panic!("{page} has a block of {other:?}, which nobody tries"),
        }
    }
    pieces.program = format!("{head}int main() {{\n{}}}\n", pieces.program);
    (pieces, whole)
}

#[test]
fn the_pieces_of_the_cpp_page_print_what_it_says() {
    let (pieces, _) = told("docs/cpp.md");
    assert!(pieces.text.lines().count() > 5, "these cannot be all: {}", pieces.text);
    for standard in ["-std=c++17", "-std=c++20"] {
        let shop = Workshop::open(&format!("cpp{standard}"));
        let program = shop.compile("cpp", &["c++", standard], &pieces.program);
        prints(standard, shop.command(program), &pieces.text);
        assert!(shop.left().is_empty(), "{:?}", shop.left());
    }
}

#[test]
fn what_the_cpp_page_does_without_exceptions_needs_none() {
    let (_, whole) = told("docs/cpp.md");
    assert!(!whole.is_empty(), "there is no whole program");
    let shop = Workshop::open("cpp-returning");
    for Told { program, text } in whole {
        let compiler = ["c++", "-std=c++17", "-fno-exceptions"];
        prints("C++", shop.command(shop.compile("cpp", &compiler, &program)), &text);
    }
}
