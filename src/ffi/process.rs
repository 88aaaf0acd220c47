//! `atoll_process_*`.

use super::guard::guard;
use super::status::atoll_status;
use super::transaction;
use crate::object::segment::Segment;

/// Leaves all segments in good order, as exit() does. For a process that is about to end
/// without it, by _exit(): its end is no death for atoll_segment_wait_death(), and
/// ephemeral segments that it leaves as the last one go.
///
/// Handles stay valid. A later call through one makes the process take part again; if the
/// segment went meanwhile, that is NOT_FOUND. A transaction that the calling thread has
/// open is aborted; locks that it holds count as those of an owner that died. Other
/// threads that have used locks of a segment are not disturbed, nor do they look dead.
///
/// Returns
///   OK                  The process has left. Its home segment is closed, too.
///   SYSTEM              The system refused. See os_errno and the sentence.
///
/// Threads   Any thread.
/// Fork      Concerns the process that calls, no other.
/// Since     0.1
#[unsafe(no_mangle)]
pub extern "C" fn atoll_process_leave() -> atoll_status {
    guard(|call| {
        transaction::abort_mine(call);
        Segment::leave_all()
    })
}
