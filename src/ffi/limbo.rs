//! Where a closed object waits until no running call can be using it.
//!
//! Calls do not count what they use: that would be two contended writes in each.
//! Instead a thread says, by plain stores to a word of its own, that it is inside
//! a call. Whoever closes a handle takes the object out of the table, has every
//! thread agree on that (`membarrier`), and looks who is inside: nobody who enters
//! later can find the object. When those have all left, it is freed, by the closer
//! if that is soon, else by whoever closes something later.
//!
//! # Invariants
//!
//! - **L1** An object in the list had left the table when its users were looked up.
//! - **L2** A node belongs to the list, or to the one thread that took it out.
//!
//! Where it cannot be told who is inside, objects are kept until the process ends:
//! that takes a kernel that had the barrier and takes it back. After a fork the
//! child's copy of the list is sound, because it changes by single exchanges; threads
//! that do not exist there count as having left.

use core::ptr::null_mut;

use crate::platform::atomic::{AtomicPtr, Ordering::*};
use crate::roster::thread::{InCall, Witness};

struct Node {
    /// Held only to be dropped.
    _object: Box<dyn Send>,
    /// The calls that may be using it.
    users: Witness,
    next: *mut Node,
}

static LIMBO: AtomicPtr<Node> = AtomicPtr::new(null_mut());

/// How often a closer looks again before it leaves an object to others: long
/// enough for calls that do not wait.
const LOOKS: u32 = 200;

/// Frees an object that has left the table, as soon as nobody uses it.
pub(super) fn release(call: &InCall, object: Box<dyn Send>) {
    sweep();
    let Some(mut users) = Witness::of_calls(call) else {
        return core::mem::forget(object);
    };
    for _ in 0..LOOKS {
        if users.are_over() {
            return drop(object);
        }
        core::hint::spin_loop();
    }
    keep(Box::new(Node { _object: object, users, next: null_mut() }));
}

/// Frees what was left to us and is used no more.
fn sweep() {
    // Acquire: the nodes are whole. The whole list becomes ours (L2).
    let mut next = LIMBO.swap(null_mut(), Acquire);
    while !next.is_null() {
        // SAFETY: made by `keep` with `Box::into_raw`, and ours alone (L2).
        let mut node = unsafe { Box::from_raw(next) };
        next = node.next;
        if !node.users.are_over() {
            keep(node);
        }
    }
}

fn keep(mut node: Box<Node>) {
    // Relaxed: the exchange below checks it.
    let mut first = LIMBO.load(Relaxed);
    loop {
        node.next = first;
        let raw = Box::into_raw(node);
        // Release: the node is whole.
        match LIMBO.compare_exchange_weak(first, raw, Release, Relaxed) {
            Ok(_) => return,
            Err(now) => first = now,
        }
        // SAFETY: made three lines above, and the exchange gave it to nobody.
        node = unsafe { Box::from_raw(raw) };
    }
}
