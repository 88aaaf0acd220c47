//! Programs in documents: taken out, compiled, run as a reader would.

#![allow(dead_code, reason = "every test binary uses its own part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, process, thread};

/// Only a program that hangs meets it.
const WATCHDOG: Duration = Duration::from_secs(120);

pub(crate) fn tree(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The blocks of a document, each with its language, in their order.
pub(crate) fn blocks(document: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(tree(document)).unwrap_or_else(|error| {
        panic!("{document}: {error}");
    });
    let opened = text.split("\n```").skip(1).step_by(2);
    let parts = opened.map(|block| block.split_once('\n').expect("a language, and then its block"));
    parts.map(|(language, text)| (language.to_owned(), format!("{text}\n"))).collect()
}

/// A folder for programs, and one for their segments; both go in the end.
pub(crate) struct Workshop {
    pub(crate) programs: PathBuf,
    pub(crate) segments: PathBuf,
}

impl Workshop {
    pub(crate) fn open(what: &str) -> Self {
        let name = format!("atoll-test-{}-{what}", process::id());
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

    /// Compiles a program by a command like `cc -std=c99`, and gives the way to it.
    pub(crate) fn compile(&self, language: &str, compiler: &[&str], text: &str) -> PathBuf {
        let source = self.programs.join(format!("program.{language}"));
        let program = self.programs.join(format!("program-in-{language}"));
        fs::write(&source, text).expect("the program can be written");
        let mut command = Command::new(compiler[0]);
        command.args(&compiler[1..]).args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I"]);
        command.arg(tree("include")).arg(&source).arg(library()).arg("-o").arg(&program);
        let output = command.output().unwrap_or_else(|error| panic!("{compiler:?}: {error}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        program
    }

    /// A command that finds the library and the segments.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("ATOLL_DIR", &self.segments)
            .env("ATOLL_LIBRARY", library())
            .env("LD_LIBRARY_PATH", &self.programs)
            .env("PYTHONPATH", tree("python"))
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// Python that runs a file of that text, as multiprocessing needs it.
    pub(crate) fn python(&self, text: &str) -> Command {
        let file = self.programs.join("program.py");
        fs::write(&file, text).expect("the program can be written");
        let mut command = self.command("python3");
        command.arg(file);
        command
    }

    /// The names of the segments that are there.
    pub(crate) fn left(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.segments).expect("the folder");
        entries.map(|entry| entry.expect("an entry").path()).collect()
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.programs);
        let _ = fs::remove_dir_all(&self.segments);
    }
}

/// The shared library that cargo built for this test.
fn library() -> PathBuf {
    env::current_exe().expect("we have a path").with_file_name("libatoll.so")
}

/// Runs a program and gives what it printed, and whether it ended well.
pub(crate) fn run(mut command: Command) -> (String, bool) {
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

/// Runs a program that is to say so much and to end well.
pub(crate) fn prints(language: &str, program: Command, text: &str) {
    let (said, well) = run(program);
    assert!(well && said.trim_end() == text.trim_end(), "{language}: {said}");
}
