//! One number for the layout of everything that is shared.

use crate::layout::bodies::{ArrayHead, LargeValue, SmallValue};
use crate::layout::entry::Entry;
use crate::layout::header::{Buckets, Header, LAYOUT_VERSION};
use crate::layout::{Shared, hash_text, hash_u64};
use crate::ring::lane::LaneHead;
use crate::ring::lanes::LanesHead;
use crate::ring::plan::MpmcHead;
use crate::roster::journal::AnnexHead;
use crate::roster::record::Block;
use crate::segment::control::Control;
use crate::segment::holds::HoldPage;
use crate::sync::barrier::BarrierBody;
use crate::sync::condvar::CondvarBody;
use crate::sync::event::EventBody;
use crate::sync::latch::LatchBody;
use crate::sync::lock::LockBody;
use crate::sync::mutex::MutexBody;
use crate::sync::rwlock::RwLockBody;
use crate::sync::semaphore::SemaphoreBody;
use crate::sync::tracked::TrackedBody;

/// Two builds agree on every byte of a segment if and only if they agree on this.
pub(crate) const LAYOUT_FINGERPRINT: u64 = {
    let shapes = [
        Header::SHAPE,
        Buckets::SHAPE,
        Control::SHAPE,
        Entry::SHAPE,
        HoldPage::SHAPE,
        AnnexHead::SHAPE,
        Block::SHAPE,
        MutexBody::SHAPE,
        RwLockBody::SHAPE,
        SemaphoreBody::SHAPE,
        TrackedBody::SHAPE,
        EventBody::SHAPE,
        LatchBody::SHAPE,
        LockBody::SHAPE,
        CondvarBody::SHAPE,
        BarrierBody::SHAPE,
        SmallValue::SHAPE,
        LargeValue::SHAPE,
        ArrayHead::SHAPE,
        LanesHead::SHAPE,
        LaneHead::SHAPE,
        MpmcHead::SHAPE,
    ];
    let mut hash = hash_u64(hash_text(b"atoll"), LAYOUT_VERSION as u64);
    let mut i = 0;
    while i < shapes.len() {
        hash = hash_u64(hash, shapes[i]);
        i += 1;
    }
    hash
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::block::BlockHead;
    use crate::layout::bodies::TypeRecord;
    use crate::layout::rings::RingHead;
    use crate::layout::undo::UndoEntry;
    use crate::roster::record::{MemberRecord, ParticipantRecord, RingClaim, WaitNode};
    use crate::segment::holds::HoldEntry;
    use crate::sync::guarded::GuardedBody;
    use crate::sync::side::Side;

    /// Sizes, alignments and offsets of every shared struct are a promise.
    #[test]
    fn layout_is_the_golden_one() {
        let now = [
            format!("version {LAYOUT_VERSION} fingerprint {LAYOUT_FINGERPRINT:016x}\n"),
            Header::describe(),
            Buckets::describe(),
            Control::describe(),
            GuardedBody::describe(),
            UndoEntry::describe(),
            BlockHead::describe(),
            Entry::describe(),
            HoldPage::describe(),
            HoldEntry::describe(),
            AnnexHead::describe(),
            Block::describe(),
            ParticipantRecord::describe(),
            WaitNode::describe(),
            RingClaim::describe(),
            MemberRecord::describe(),
            MutexBody::describe(),
            RwLockBody::describe(),
            SemaphoreBody::describe(),
            TrackedBody::describe(),
            EventBody::describe(),
            LatchBody::describe(),
            LockBody::describe(),
            CondvarBody::describe(),
            BarrierBody::describe(),
            TypeRecord::describe(),
            SmallValue::describe(),
            LargeValue::describe(),
            ArrayHead::describe(),
            RingHead::describe(),
            LanesHead::describe(),
            LaneHead::describe(),
            MpmcHead::describe(),
            Side::describe(),
        ]
        .concat();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/layout.txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, &now).expect("the golden file can be written");
        }
        let golden = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            now == golden,
            "the memory layout changed. If that is meant, raise LAYOUT_VERSION and run `make bless`.\n{now}"
        );
    }
}
