//! Interpreters of Python.

use std::path::PathBuf;
use std::process::Command;

use super::{Missing, Result};

/// The interpreter of one version, by its name or by pyenv; "" for the usual one.
pub fn find(version: &str) -> Result<PathBuf> {
    let by_name = format!("python{}", if version.is_empty() { "3" } else { version });
    let found = [by_name.as_str(), "python3"].into_iter().find_map(|name| ask(name, version));
    found.ok_or_else(|| Missing(format!("there is no {by_name}")).into())
}

/// Where an interpreter is, if it is of that version.
fn ask(name: &str, version: &str) -> Option<PathBuf> {
    let question = "import sys; print(*sys.version_info[:3], sep='.'); print(sys.executable)";
    let mut command = Command::new(name);
    command.args(["-c", question]);
    if !version.is_empty() {
        command.env("PYENV_VERSION", version);
    }
    let said = String::from_utf8(command.output().ok()?.stdout).ok()?;
    let (exact, path) = said.trim_end().split_once('\n')?;
    is_of(exact, version).then(|| path.into())
}

/// 3.13.0 is of 3.13 and of "", and not of 3.1.
fn is_of(exact: &str, version: &str) -> bool {
    version.is_empty() || format!("{exact}.").starts_with(&format!("{version}."))
}
