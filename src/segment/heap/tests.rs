//! The heap in a memory of its own, alone and in crowds.

mod churn;
mod damage;
#[cfg(target_arch = "x86_64")]
mod deaths;
mod model;
mod world;
