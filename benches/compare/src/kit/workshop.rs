//! Where things are, and how lanes are made.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Failure, Missing, Result};

/// The tree, the library as built, and a bench to work at.
pub struct Workshop {
    tree: PathBuf,
    /// Where `libatoll.so` is.
    release: PathBuf,
    /// Where results and lanes go.
    bench: PathBuf,
}

impl Workshop {
    /// Looks for the library in `$CARGO_TARGET_DIR` or the tree's own `target`.
    pub fn open() -> Result<Self> {
        let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
        let bench = tree.join("target/bench");
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or(tree.join("target"), PathBuf::from);
        let release = std::path::absolute(target)?.join("release");
        if !release.join("libatoll.so").exists() {
            return Err(
                "there is no libatoll.so: run `make bench`, or `cargo build --release`".into()
            );
        }
        let shop = Self { tree, release, bench };
        std::fs::create_dir_all(shop.lanes())?;
        shop.link_soname()?;
        Ok(shop)
    }

    /// Where a file of results belongs.
    pub fn result(&self, name: &str) -> PathBuf {
        self.bench.join(name)
    }

    /// Compiles `lanes/NAME.c` against the shared library.
    pub fn c_lane(&self, name: &str) -> Result<PathBuf> {
        let mut command = compiler("CC", "cc");
        command.arg("-std=gnu11").arg(self.sources().join(name).with_extension("c"));
        self.link(command, name)
    }

    /// Compiles `lanes/NAME.cpp` against the shared library.
    pub fn cpp_lane(&self, name: &str) -> Result<PathBuf> {
        let mut command = compiler("CXX", "c++");
        command.arg("-std=gnu++17").arg(self.sources().join(name).with_extension("cpp"));
        self.link(command, &format!("{name}_cpp"))
    }

    /// The same for a lane that needs what other people wrote: a header whose path begins with
    /// `headers`, which a Debian package has.
    pub fn cpp_lane_with(&self, name: &str, headers: &str, package: &str) -> Result<PathBuf> {
        self.cpp_lane(name).map_err(|why| missing(why, headers, package))
    }

    fn link(&self, mut command: Command, name: &str) -> Result<PathBuf> {
        command
            .args(["-O2", "-Wall", "-Wextra", "-Werror", "-pthread"])
            .arg("-I")
            .arg(self.tree.join("include"))
            .arg("-L")
            .arg(&self.release)
            .arg(format!("-Wl,-rpath,{}", self.lanes().display()))
            .arg("-latoll");
        self.compile(command, name)
    }

    /// Compiles `lanes/NAME.cpp`, which is a peer, to a library. What is missing is a
    /// header whose path begins with `headers`, and a Debian package that has it.
    pub fn cpp_library(&self, name: &str, headers: &str, package: &str) -> Result<PathBuf> {
        let mut command = compiler("CXX", "c++");
        command
            .args(["-std=c++17", "-O2", "-DNDEBUG", "-shared", "-fPIC", "-pthread"])
            .arg(self.sources().join(name).with_extension("cpp"))
            .arg("-lrt");
        let library = self.compile(command, &format!("{name}.so"));
        library.map_err(|why| missing(why, headers, package))
    }

    fn compile(&self, mut command: Command, name: &str) -> Result<PathBuf> {
        let program = self.lanes().join(name);
        // One that runs still, of a bench that was killed, keeps its old file.
        let _ = std::fs::remove_file(&program);
        command.arg("-o").arg(&program);
        let compiler = command.get_program().to_string_lossy().into_owned();
        let said = command.output().map_err(|error| Missing(format!("{compiler}: {error}")))?;
        if said.status.success() {
            return Ok(program);
        }
        Err(format!("{compiler}: {}", String::from_utf8_lossy(&said.stderr)).into())
    }

    /// Builds `lanes/NAME`, a crate. What it needs of others and cannot be had is missing.
    pub fn rust_lane(&self, name: &str) -> Result<PathBuf> {
        let target = self.lanes().join("target");
        let manifest = self.sources().join(name).join("Cargo.toml");
        cargo(&["fetch", "--quiet"], &manifest, &target)
            .map_err(|why| Missing(format!("what the lane {name} needs cannot be had: {why}")))?;
        cargo(&["build", "--release", "--quiet"], &manifest, &target)?;
        Ok(target.join("release").join(name))
    }

    /// Sees to it that the package has an accelerator for an interpreter.
    pub fn accelerate(&self, interpreter: &Path) -> Result<()> {
        const CANNOT_BUILD: i32 = 77;
        let build = self.tree.join("python/accelerator/build.py");
        let said = Command::new(interpreter).arg(build).output()?;
        let words = |said: &[u8]| String::from_utf8_lossy(said).trim_end().to_owned();
        match said.status.code() {
            Some(0) => Ok(()),
            Some(CANNOT_BUILD) => Err(Missing(words(&said.stdout)).into()),
            _ => Err(words(&said.stderr).into()),
        }
    }

    /// `lanes/NAME.py` as an interpreter runs it: with the accelerator or without it, and
    /// from bytecode, as modules that are installed.
    pub fn python_lane(&self, interpreter: &Path, name: &str, is_pure: bool) -> Command {
        let mut lane = Command::new(interpreter);
        lane.arg(self.sources().join(name).with_extension("py"))
            .env("PYTHONPATH", self.tree.join("python"))
            .env("PYTHONPYCACHEPREFIX", self.lanes().join("bytecode"))
            .env_remove("PYTHONDONTWRITEBYTECODE")
            .env("ATOLL_LIBRARY", self.release.join("libatoll.so"))
            .env_remove("ATOLL_PURE");
        if is_pure {
            lane.env("ATOLL_PURE", "1");
        }
        lane
    }

    fn sources(&self) -> PathBuf {
        self.tree.join("benches/compare/lanes")
    }

    fn lanes(&self) -> PathBuf {
        self.bench.join("lanes")
    }

    /// Programs ask for the library by its soname; cargo makes no file of that name.
    fn link_soname(&self) -> Result<()> {
        let link = self.lanes().join("libatoll.so.0");
        let _ = std::fs::remove_file(&link);
        Ok(std::os::unix::fs::symlink(self.release.join("libatoll.so"), link)?)
    }
}

/// The compiler that a variable names, or the usual one.
fn compiler(variable: &str, usual: &str) -> Command {
    Command::new(std::env::var(variable).unwrap_or_else(|_| usual.into()))
}

/// Runs cargo on a crate.
fn cargo(what: &[&str], manifest: &Path, target: &Path) -> Result<()> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut command = Command::new(&cargo);
    command.args(what).arg("--manifest-path").arg(manifest).env("CARGO_TARGET_DIR", target);
    let said = command.output().map_err(|error| Missing(format!("{cargo}: {error}")))?;
    match said.status.success() {
        true => Ok(()),
        false => Err(format!("{cargo}: {}", String::from_utf8_lossy(&said.stderr)).into()),
    }
}

/// What a compiler said, or that there is no such header.
fn missing(why: Failure, headers: &str, package: &str) -> Failure {
    match why.to_string().contains(&format!("fatal error: {headers}")) {
        true => Missing(format!("there is no {headers}: install {package}")).into(),
        false => why,
    }
}
