//! The programs of README.md, as a reader would run them: one after the other on one
//! segment, and then each after another program was killed half way.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use programs::{Workshop, blocks, prints, run};

#[path = "support/programs.rs"]
mod programs;

/// A Python program that is killed between the two numbers.
const VICTIM: &str = r#"
import atoll, os, signal
shop = atoll.Segment("shop")
till, sales = atoll.Lock(shop, "till"), atoll.Array(shop, "sales")
till.acquire()
sales[0] += 1
os.kill(os.getpid(), signal.SIGKILL)
"#;

/// The same in a transaction.
const VICTIM_IN_TRANSACTION: &str = r#"
import atoll, os, signal
shop = atoll.Segment("shop")
till, sales = atoll.Lock(shop, "till"), atoll.Array(shop, "sales")
with atoll.transaction(till) as sale:
    sale.modify(sales)[0] += 1
    os.kill(os.getpid(), signal.SIGKILL)
"#;

/// The README's programs in Python, in their order.
const TOUR: usize = 0;
const LOCK_ALONE: usize = 1;
const WITHOUT_NAMES: usize = 2;
const WAITING: usize = 3;
const RINGS: usize = 4;
const EVENT_LOOP: usize = 5;
const DROP_IN: usize = 6;

/// The block in that language with that number.
fn block(language: &str, number: usize) -> String {
    let mut those = blocks("README.md").into_iter().filter(|(of, _)| of == language);
    those.nth(number).unwrap_or_else(|| panic!("no {language} with number {number}")).1
}

/// The README's Rust program, which cargo built with the tests.
fn in_rust() -> PathBuf {
    let tests = env::current_exe().expect("we have a path");
    let program = tests.parent().expect("a folder").with_file_name("examples").join("shop");
    assert!(program.exists(), "there is no {}: cargo build --examples", program.display());
    program
}

#[test]
fn the_programs_of_the_readme_print_what_it_says() {
    let shop = Workshop::open("readme-tour");
    let in_c = shop.compile("c", &["cc", "-std=c99"], &block("c", 0));
    let in_cpp = shop.compile("cpp", &["c++", "-std=c++17"], &block("cpp", 0));
    let programs: [(&str, &dyn Fn() -> Command); 4] = [
        ("C", &|| shop.command(&in_c)),
        ("C++", &|| shop.command(&in_cpp)),
        ("Python", &|| shop.python(&block("python", TOUR))),
        ("Rust", &|| shop.command(in_rust())),
    ];

    for ((language, program), line) in programs.iter().zip(block("text", 0).lines()) {
        prints(language, program(), line);
    }
    let mut sales = 4;
    for (language, program) in programs {
        let (_, well) = run(shop.python(VICTIM_IN_TRANSACTION));
        assert!(!well, "the victim is killed");
        sales += 1;
        prints(language, program(), &format!("{sales} sales, {} euros", 5 * sales));
    }
}

#[test]
fn who_locks_alone_sets_right_what_a_dead_one_left() {
    let shop = Workshop::open("readme-alone");
    let tour = || shop.python(&block("python", TOUR));
    prints("Python", tour(), "1 sales, 5 euros");
    let (_, well) = run(shop.python(VICTIM));
    assert!(!well, "the victim is killed");
    prints("Python", shop.python(&block("python", LOCK_ALONE)), "");
    prints("Python", tour(), "4 sales, 20 euros");
}

#[test]
fn what_has_no_name_leaves_nothing() {
    let shop = Workshop::open("readme-nameless");
    prints("Python", shop.python(&block("python", WITHOUT_NAMES)), &block("text", 1));
    assert_eq!(shop.left(), [""; 0].map(PathBuf::from));
}

#[test]
fn who_is_killed_at_the_desk_gives_it_back() {
    let shop = Workshop::open("readme-waiting");
    prints("Python", shop.python(&block("python", WAITING)), &block("text", 2));
    assert_eq!(shop.left(), [""; 0].map(PathBuf::from));
}

#[test]
fn readings_outlive_their_sensors() {
    let shop = Workshop::open("readme-rings");
    prints("Python", shop.python(&block("python", RINGS)), &block("text", 3));
    assert_eq!(shop.left(), [""; 0].map(PathBuf::from));
}

#[test]
fn a_task_is_woken_by_another_process() {
    let shop = Workshop::open("readme-asyncio");
    prints("Python", shop.python(&block("python", EVENT_LOOP)), &block("text", 4));
    assert_eq!(shop.left(), [""; 0].map(PathBuf::from));
}

#[test]
fn a_lock_of_multiprocessing_outlives_its_owner() {
    let shop = Workshop::open("readme-drop-in");
    prints("Python", shop.python(&block("python", DROP_IN)), &block("text", 5));
    assert_eq!(shop.left(), [""; 0].map(PathBuf::from));
}

#[test]
fn the_rust_program_is_the_one_of_the_readme() {
    let (_, program) =
        include_str!("../examples/shop.rs").split_once("\n\n").expect("a first line");
    assert!(
        block("rust", 0) == program,
        "README.md and examples/shop.rs differ: copy one to the other"
    );
}
