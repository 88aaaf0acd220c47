//! How a process leaves in good order: at its end by `exit`, or because it says so.
//!
//! Nobody announces its death then, and ephemeral segments go if it was the last one in.
//! Its other threads may be in the middle of anything, so where they have seats the
//! process keeps its byte: without it they would look dead. It is then *parting*
//! (`record::PARTING`), which is as good as gone for whoever destroys a segment.

use super::thread::Thread;
use super::{attachment, fork, home, listening, member};

/// Runs when the process ends by `exit`.
pub(super) extern "C" fn at_process_exit() {
    if !fork::is_set_up() {
        return;
    }
    member::set_leaving(true);
    listening::leave_all();
    attachment::for_each(member::leave);
}

/// Leaves all segments, for a process that is about to end by `_exit`. If it makes another
/// call, that joins again.
pub(crate) fn leave_all(thread: &Thread) {
    listening::leave_all();
    thread.leave_all();
    home::leave();
    attachment::for_each(member::leave);
}
