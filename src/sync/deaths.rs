//! Waiting for the death of a member of a segment.

use super::bed::Bed;
use super::wait::Wait;
use super::waitable::Waitable;
use crate::error::{Error, Result, Status};
use crate::platform::time::Deadline;
use crate::roster::attachment::Attachment;
use crate::roster::death::{self, MemberInfo};

/// The deaths in a segment with numbers above one.
pub(crate) struct Deaths<'a> {
    attachment: &'a Attachment,
    seen_epoch: u64,
}

const NONE_DIED: Error = Error::new(Status::TimedOut, "no member died before the deadline");

impl<'a> Deaths<'a> {
    /// Those above `seen_epoch`, in a segment that can be written.
    pub(crate) fn above(seen_epoch: u64, attachment: &'a Attachment) -> Self {
        Self { attachment, seen_epoch }
    }

    /// Waits for the first of them.
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`, `Corrupted`.
    pub(crate) fn wait(&self, deadline: Deadline) -> Result<MemberInfo> {
        let mut wait = Wait::patient(deadline);
        let mut bed = Bed::new();
        loop {
            bed.make();
            if let Some(news) = self.look(&mut bed)? {
                return Ok(news);
            }
            if wait.is_over() {
                return Err(wait.refusal(NONE_DIED));
            }
            wait.sleep_in(&mut bed)?;
        }
    }

    fn look<'b>(&'b self, bed: &mut Bed<'b>) -> Result<Option<MemberInfo>> {
        let epoch = death::watch_for_news(self.attachment);
        let news = death::news(self.attachment, self.seen_epoch)?;
        if news.is_none() {
            bed.add(epoch);
            if death::watch_the_living(self.attachment, |word| bed.watch_thread(word))? {
                bed.look_again_soon();
            }
        }
        Ok(news)
    }
}

impl Waitable for Deaths<'_> {
    /// A death takes longer than anybody looks in a row.
    fn seems_ready(&self) -> bool {
        false
    }

    fn is_ready(&self) -> Result<bool> {
        Ok(death::news(self.attachment, self.seen_epoch)?.is_some())
    }

    fn prepare<'a>(&'a self, bed: &mut Bed<'a>) -> Result<bool> {
        Ok(self.look(bed)?.is_some())
    }

    /// Who announces a death wakes all, and the word of a dead thread is spread.
    fn leave(&self) {}
}
