//! What the tests between real processes stand on.
//!
//! | file | what is in it |
//! |---|---|
//! | `runner` | each test in a process of its own, with a segment directory of its own |
//! | `child` | the other processes of a test, and what they tell each other |
//! | `system` | forks, signals, namespaces: each system call once |
//! | `sandbox` | filters that refuse system calls |
//! | `image` | the bytes of a segment, to damage them by the names of the fields |

#![allow(dead_code, reason = "every test binary uses its own part")]

pub(crate) mod child;
pub(crate) mod image;
pub(crate) mod runner;
pub(crate) mod sandbox;
pub(crate) mod system;
