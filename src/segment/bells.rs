//! Doorbells of those who were killed: how their files go.
//!
//! Who listens with a descriptor has a file beside the segment (`platform::doorbell`), and
//! removes it with the last one that listens to the same object. What the killed leave is
//! removed by the next member that comes, asks for what is in the segment or hears of a death;
//! where nobody is in any more, with the segment or after it, as ephemeral segments are.
//!
//! # If a process dies
//!
//! Removing a file, it has perhaps taken LISTENED away, from an object that nobody living
//! listens to.

use std::collections::BTreeSet;

use super::directory::{self, Object};
use super::estate::find_again;
use super::reclaim::identities;
use crate::error::Result;
use crate::layout::block::Kind;
use crate::layout::memory::Memory;
use crate::platform::atomic::Ordering::Relaxed;
use crate::platform::doorbell;
use crate::ring::{lanes, orphans};
use crate::roster::attachment::{self, Attachment};
use crate::roster::thread;
use crate::sync::condvar::CondvarBody;
use crate::sync::event::EventBody;
use crate::sync::latch::LatchBody;
use crate::sync::mutex::Actor;
use crate::sync::node::Identity;
use crate::sync::semaphore::SemaphoreBody;
use crate::sync::tracked::TrackedBody;

/// Removes the bells of a segment, which this process is a member of, that nobody listens to.
/// What fails is left to the next one.
pub(crate) fn clear_up(attachment: &'static Attachment) {
    // Relaxed: who listens from now on lives.
    if attachment.memory().is_writable() && attachment.header().bells.load(Relaxed) != 0 {
        let _ = remove_unused(attachment);
    }
}

fn remove_unused(attachment: &'static Attachment) -> Result<()> {
    let actor = Actor::new(thread::here()?, attachment)?;
    let identity = attachment.header().identity;
    for (id, path) in doorbell::own_bells()?.filter(|(id, _)| id.segment == identity) {
        // Under this lock the object stays.
        let hold = directory::hold(actor)?;
        let which = Identity { object: id.object, place: id.place };
        let object = find_again(hold.memory(), which);
        doorbell::remove(&path, || {
            if let Some(object) = object {
                // A damaged one is not listened to.
                let _ = forget_listeners(hold.memory(), &object);
            }
        });
    }
    Ok(())
}

/// Says in an object that nobody listens any more.
fn forget_listeners(memory: &Memory, object: &Object<'_>) -> Result<()> {
    let body = object.body();
    match object.kind {
        Kind::Event => memory.at::<EventBody>(body)?.forget_listeners(),
        Kind::Latch => memory.at::<LatchBody>(body)?.forget_listeners(),
        Kind::Semaphore => memory.at::<SemaphoreBody>(body)?.forget_listeners(),
        Kind::TrackedSemaphore => memory.at::<TrackedBody>(body)?.forget_listeners(),
        Kind::Condvar => memory.at::<CondvarBody>(body)?.forget_listeners(),
        Kind::Spsc | Kind::Fanin => lanes::forget_listeners(memory, body)?,
        Kind::Mpmc => orphans::forget_listeners(memory, body)?,
        _ => {}
    }
    Ok(())
}

/// Removes the bells of a segment in which nobody is, or none that this process is a member of.
pub(super) fn remove_all_of(identity: u64) {
    for (_, path) in doorbell::own_bells().into_iter().flatten().filter(|b| b.0.segment == identity)
    {
        doorbell::remove(&path, || ());
    }
}

/// Removes the bells of this user for segments that have no name any more.
pub(super) fn sweep() -> Result<()> {
    let bells: Vec<_> = doorbell::own_bells()?.collect();
    if bells.is_empty() {
        return Ok(());
    }
    let there: BTreeSet<u64> = identities()?.collect();
    for (id, path) in bells.iter().filter(|(id, _)| !there.contains(&id.segment)) {
        if !attachment::is_attached(id.segment) {
            doorbell::remove(path, || ());
        }
    }
    Ok(())
}
