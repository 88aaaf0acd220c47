//! The programs of README.md, as a reader would run them: one after the other on one
//! segment, and then each after another program was killed half way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, process, thread};

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

/// Only a program that hangs meets it.
const WATCHDOG: Duration = Duration::from_secs(120);

fn tree(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The block in that language with that number.
fn block(language: &str, number: usize) -> String {
    let readme = fs::read_to_string(tree("README.md")).expect("README.md is there");
    let fence = format!("\n```{language}\n");
    let block = readme.split(&fence).nth(number + 1).unwrap_or_else(|| panic!("no {language}"));
    block.split_once("\n```").expect("the block ends").0.to_owned() + "\n"
}

/// A folder for programs, and one for their segments; both go in the end.
struct Shop {
    programs: PathBuf,
    segments: PathBuf,
}

impl Shop {
    fn open(what: &str) -> Self {
        let name = format!("atoll-test-{}-readme-{what}", process::id());
        let shop = Self {
            programs: Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name),
            segments: Path::new("/dev/shm").join(name),
        };
        fs::create_dir_all(&shop.programs).expect("a folder for programs");
        fs::create_dir_all(&shop.segments).expect("a folder for segments");
        let soname = shop.programs.join("libatoll.so.0");
        std::os::unix::fs::symlink(library(), soname).expect("a link for the loader");
        shop
    }

    /// Compiles a block and gives the program.
    fn compile(&self, language: &str, compiler: &str, standard: &str) -> PathBuf {
        let source = self.programs.join(format!("program.{language}"));
        let program = self.programs.join(format!("program-in-{language}"));
        fs::write(&source, block(language, 0)).expect("the block can be written");
        let mut command = Command::new(compiler);
        command.args([standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I"]);
        command.arg(tree("include")).arg(&source).arg(library()).arg("-o").arg(&program);
        let output = command.output().unwrap_or_else(|error| panic!("{compiler}: {error}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        program
    }

    /// A command that finds the library and the segments.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("ATOLL_DIR", &self.segments)
            .env("ATOLL_LIBRARY", library())
            .env("LD_LIBRARY_PATH", &self.programs)
            .env("PYTHONPATH", tree("python"))
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    fn python(&self, program: &str) -> Command {
        let mut command = self.command("python3");
        command.args(["-c", program]);
        command
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.programs);
        let _ = fs::remove_dir_all(&self.segments);
    }
}

/// The README's Rust program, which cargo built with the tests.
fn in_rust() -> PathBuf {
    let tests = env::current_exe().expect("we have a path");
    let program = tests.parent().expect("a folder").with_file_name("examples").join("shop");
    assert!(program.exists(), "there is no {}: cargo build --examples", program.display());
    program
}

/// The shared library that cargo built for this test.
fn library() -> PathBuf {
    env::current_exe().expect("we have a path").with_file_name("libatoll.so")
}

/// Runs a program and gives what it printed, and whether it ended well.
fn run(mut command: Command) -> (String, bool) {
    command.stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let end = Instant::now() + WATCHDOG;
    while child.try_wait().expect("our child").is_none() {
        if Instant::now() > end {
            child.kill().expect("our child");
            panic!("{command:?} hangs");
        }
        thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("our child");
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success())
}

/// Runs a program that is to say one line and to end well.
fn prints(language: &str, program: Command, line: &str) {
    let (said, well) = run(program);
    assert!(well && said.trim_end() == line, "{language}: {said}");
}

#[test]
fn the_programs_of_the_readme_print_what_it_says() {
    let shop = Shop::open("tour");
    let in_c = shop.compile("c", "cc", "-std=c99");
    let in_cpp = shop.compile("cpp", "c++", "-std=c++17");
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
    let shop = Shop::open("alone");
    let tour = || shop.python(&block("python", TOUR));
    prints("Python", tour(), "1 sales, 5 euros");
    let (_, well) = run(shop.python(VICTIM));
    assert!(!well, "the victim is killed");
    prints("Python", shop.python(&block("python", LOCK_ALONE)), "");
    prints("Python", tour(), "4 sales, 20 euros");
}

#[test]
fn what_has_no_name_leaves_nothing() {
    let shop = Shop::open("nameless");
    let file = shop.programs.join("program.py");
    fs::write(&file, block("python", WITHOUT_NAMES)).expect("the block can be written");
    let mut program = shop.command("python3");
    program.arg(file);
    prints("Python", program, block("text", 1).trim_end());
    let left: Vec<_> = fs::read_dir(&shop.segments).expect("the folder").collect();
    assert!(left.is_empty(), "{left:?}");
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
