//! The programs of docs/cpp.md and docs/python.md: the blocks of a page one after the other are
//! one program, which prints what the blocks of text between them say. A block of C++ that has a
//! `main` is one by itself.

use programs::{Workshop, blocks, prints};

#[path = "support/programs.rs"]
mod programs;

/// A program, in pieces, and what it is to print.
#[derive(Default)]
struct Told {
    pieces: Vec<String>,
    text: String,
}

/// What a page tells in pieces, and the whole programs in it.
fn told(page: &str, language: &str) -> (Told, Vec<Told>) {
    let (mut told, mut whole) = (Told::default(), Vec::new());
    for (of, block) in blocks(page) {
        if of == "text" {
            whole.last_mut().unwrap_or(&mut told).text.push_str(&block);
        } else if of != language {
            panic!("{page} has a block of {of:?}, which nobody tries");
        } else if block.contains("int main()") {
            whole.push(Told { pieces: vec![block], text: String::new() });
        } else {
            told.pieces.push(block);
        }
    }
    assert!(told.text.lines().count() > 5, "these cannot be all: {}", told.text);
    (told, whole)
}

#[test]
fn the_pieces_of_the_cpp_page_print_what_it_says() {
    let (Told { pieces, text }, _) = told("docs/cpp.md", "cpp");
    let (head, body) = pieces.split_first().expect("what is included, and more");
    let program = format!("{head}int main() {{\n{}}}\n", body.concat());
    for standard in ["-std=c++17", "-std=c++20"] {
        let shop = Workshop::open(&format!("cpp{standard}"));
        let compiled = shop.compile("cpp", &["c++", standard], &program);
        prints(standard, shop.command(compiled), &text);
        assert!(shop.left().is_empty(), "{:?}", shop.left());
    }
}

#[test]
fn what_the_cpp_page_does_without_exceptions_needs_none() {
    let (_, whole) = told("docs/cpp.md", "cpp");
    assert!(!whole.is_empty(), "there is no whole program");
    let shop = Workshop::open("cpp-returning");
    for Told { pieces, text } in whole {
        let compiler = ["c++", "-std=c++17", "-fno-exceptions"];
        prints("C++", shop.command(shop.compile("cpp", &compiler, &pieces[0])), &text);
    }
}

#[test]
fn the_pieces_of_the_python_page_print_what_it_says() {
    let (Told { pieces, text }, _) = told("docs/python.md", "python");
    for pure in ["0", "1"] {
        let shop = Workshop::open(&format!("python-{pure}"));
        let mut program = shop.python(&pieces.concat());
        program.env("ATOLL_PURE", pure);
        prints(&format!("Python, pure {pure}"), program, &text);
        assert!(shop.left().is_empty(), "{:?}", shop.left());
    }
}
