//! Prints the C ABI for other languages, and names the shared library.
//!
//! All output goes to OUT_DIR. The copies in `include` and `python` are checked in,
//! so that users need no generator; `tests/bindings.rs` compares them with these.

use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "build/ctypes.rs"]
mod ctypes;

/// The sources of the ABI, in the order of the header.
const SOURCES: [&str; 33] = [
    "status",
    "guard",
    "platform",
    "types",
    "object",
    "segment",
    "process",
    "mutex",
    "value",
    "value_fetch",
    "array",
    "ticket",
    "rwlock",
    "semaphore",
    "condvar",
    "waiter",
    "event",
    "barrier",
    "latch",
    "lock",
    "ring",
    "spsc",
    "spsc_records",
    "fanin",
    "fanin_records",
    "mpmc",
    "mpmc_records",
    "mpmc_places",
    "transaction",
    "wait_any",
    "place",
    "ring_place",
    "mpmc_place",
];

fn main() {
    for input in ["src/ffi", "build", "build.rs", "cbindgen.toml"] {
        println!("cargo::rerun-if-changed={input}");
    }
    // Handles and thread-exit hooks lead into the library: it stays where it is.
    for option in ["-soname,libatoll.so.0", "-z,nodelete"] {
        println!("cargo::rustc-cdylib-link-arg=-Wl,{option}");
    }
    let version = env::var("CARGO_PKG_VERSION").expect("cargo sets the version");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let sources = SOURCES.map(|name| PathBuf::from(format!("src/ffi/{name}.rs")));

    let abi = ctypes::Abi::read(&sources);
    let fingerprint = abi.fingerprint();
    let constant = format!("const ABI_FINGERPRINT: u64 = {fingerprint:#018x};\n");
    fs::write(out.join("fingerprint.rs"), constant).expect("OUT_DIR is writable");
    fs::write(out.join("_abi.py"), abi.python(&version)).expect("OUT_DIR is writable");
    write_header(&sources, &version, &out.join("atoll.h"));
}

fn write_header(sources: &[PathBuf], version: &str, to: &Path) {
    let mut config = cbindgen::Config::from_file("cbindgen.toml").expect("cbindgen.toml is valid");
    config.after_includes = Some(format!(
        "\n/**\n * The version of this header.\n */\n#define ATOLL_VERSION \"{version}\""
    ));
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in sources {
        builder = builder.with_src(source);
    }
    builder.generate().expect("cbindgen understands src/ffi").write_to_file(to);
}
