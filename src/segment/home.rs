//! The home segment of a process: private, ephemeral, as large as it can be.

use super::birth::{self, LEAST_SIZE, MOST_SIZE, SegmentOptions};
use crate::error::{Result, Status};
use crate::platform::mapping::PAGE;
use crate::platform::{directory, process};
use crate::roster::attachment::{Attachment, Ground};

/// Where the file system has no limit.
const UNLIMITED: u64 = 64 << 30;

/// Makes one. Nothing of its size is memory until it is used, so it may be all that the
/// file system could ever hold, or half of that, and so on, where the process has not
/// enough addresses.
pub(crate) fn make(ground: &'static Ground) -> Result<&'static Attachment> {
    let room = directory::capacity().unwrap_or(UNLIMITED).clamp(LEAST_SIZE, MOST_SIZE);
    let mut size = room / PAGE * PAGE;
    loop {
        let name = format!("atoll-home-{}-{:016x}", process::id(), process::random_u64());
        let options = SegmentOptions { size, ephemeral: true, ..SegmentOptions::default() };
        match birth::create(&name, &options, ground) {
            Err(error) if error.status() == Status::NoSpace && size > LEAST_SIZE => {
                size = (size / 2).next_multiple_of(PAGE).max(LEAST_SIZE);
            }
            Err(error) if error.status() == Status::AlreadyExists => {}
            done => return done,
        }
    }
}
