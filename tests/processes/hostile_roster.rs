//! The same for the roster: records of members and participants, the logs of the dead,
//! and pages of holds.

use atoll::{Acquired, Deadline, Mutex, Segment, SegmentOptions, Status};

use crate::hostile::{
    each_word_damaged, furnished, is_found_out, is_found_out_writing, is_sound, survives,
};
use crate::scene::status;
use crate::support::image::{HOLDS, Image, State, field, size_of};

fn words(from: usize, bytes: usize) -> impl Iterator<Item = usize> {
    (from..from + bytes).step_by(8)
}

/// What the dead one of the image left, by places.
struct Estate {
    participant: usize,
    slot: u64,
    member: usize,
    /// Its newest page of holds.
    page: usize,
}

fn estate(image: &Image) -> Estate {
    let mut members = (0..32).map(|number| image.record("members", number));
    let member = members.find(|at| image.u64_at(at + field("MemberRecord", "died")) != 0);
    let member = member.expect("a dead member");
    let pid = image.u64_at(member + field("MemberRecord", "pid")) as u32;
    let tid = |at: usize| (image.u64_at(at) >> 32) as u32;
    let slot = (0..32).find(|slot| tid(image.record("participants", *slot)) == pid);
    let slot = slot.expect("the thread of that member");
    let page = image.u64_at(member + field("MemberRecord", "holds")) as usize;
    Estate { participant: image.record("participants", slot), slot: slot as u64, member, page }
}

/// The image as if its dead had died in a transaction: the log has a word, a range in an
/// annex, and another word; the annex is the block of the array "goes", in limbo. (All
/// that is put back is as it was.)
fn with_transaction(image: &Image) -> (Image, usize) {
    let mut image = image.clone();
    let Estate { participant, slot, page, .. } = estate(&image);
    let record = |name: &str| participant + field("ParticipantRecord", name);
    let annex = image.object("goes");
    // Nobody's object any more: no name, no holder.
    let entries = page + field("HoldPage", "entries");
    let pages = [entries, image.u64_at(page + field("HoldPage", "next")) as usize + 32];
    let mut holds = pages.into_iter().flat_map(|entries| words(entries, 14 * 16).step_by(2));
    let hold = holds.find(|hold| image.u64_at(*hold) == annex.at as u64).expect("its hold");
    image.put_u64(hold, 0);
    let mut links = words(size_of("Header"), size_of("Buckets"))
        .chain(image.objects().into_iter().map(|object| object.at + field("Entry", "next")));
    let link = links.find(|link| image.u64_at(*link) == annex.at as u64).expect("its link");
    let behind = image.u64_at(annex.at + field("Entry", "next"));
    image.put_u64(link, behind);
    let generation = image.u64_at(participant) as u32;
    image.put_u64(annex.at, 3 << 60 | u64::from(generation) << 14 | slot);
    image.put_u64(record("hints"), annex.at as u64);
    image.put_u64(record("annex"), annex.at as u64);
    // The last words of the array's elements.
    let data = image.object("array").at + image.object("array").span - 64;
    for (word, value) in [0, 1, data as u64, 16].into_iter().enumerate() {
        image.put_u64(annex.at + 16 + 8 * word, value);
    }
    let range = image.bytes[data..data + 16].to_vec();
    image.put(annex.at + 48, &range);
    for number in [0, 2] {
        let (entry, place) = (record("entries") + 16 * number, data + 16 + 8 * number);
        let old = image.u64_at(place);
        image.put_u64(entry, place as u64);
        image.put_u64(entry + 8, old);
    }
    let m1 = image.object("m1").at + size_of("Entry") + 64;
    image.put_u64(record("locks"), m1 as u64);
    image.put_u64(record("state"), u64::from(generation) << 32 | 3);
    (image, annex.at)
}

pub(crate) fn each_word_of_the_roster_damaged() {
    let image = furnished();
    let (open, annex) = with_transaction(&image);
    is_sound(&open);
    let Estate { participant, member, page, .. } = estate(&open);
    survives(each_word_damaged(
        &open,
        "participant",
        words(participant, size_of("ParticipantRecord")),
    ));
    survives(each_word_damaged(&open, "member", words(member, size_of("MemberRecord"))));
    survives(each_word_damaged(&open, "page of holds", words(page, size_of("HoldPage"))));
    survives(each_word_damaged(&open, "annex", words(annex, 64)));
    // Records of nobody: who takes the slot finds garbage.
    let next = open.u64_at(field("Header", "next_slot")) as u32 as usize % 32;
    let nobody = open.record("participants", next);
    survives(each_word_damaged(
        &open,
        "free participant",
        words(nobody, size_of("ParticipantRecord")),
    ));
    let next = open.u64_at(field("Header", "next_member")) as u32 as usize % 32;
    let nobody = open.record("members", next);
    survives(each_word_damaged(&open, "free member", words(nobody, size_of("MemberRecord"))));
}

/// A mutex whose dead owner left that log is not given to anybody, and who looks is told.
#[track_caller]
fn keeps_its_lock(what: &str, image: &Image) {
    is_found_out_writing(what, image);
    image.become_segment("damaged");
    if let Ok(segment) = Segment::open("damaged", &SegmentOptions::default())
        && let Ok(mutex) = Mutex::open(&segment, Some("m1"), false)
    {
        assert_eq!(status(mutex.acquire(Deadline::NOW)), Status::Corrupted, "{what}");
    }
    Segment::unlink("damaged").expect("it has a name");
}

pub(crate) fn logs_of_the_dead_with_garbage() {
    let (image, annex) = with_transaction(&furnished());
    is_sound(&image);
    let Estate { participant, .. } = estate(&image);
    let record = |name: &str| participant + field("ParticipantRecord", name);
    let with = |at: usize, value: u64| {
        let mut image = image.clone();
        image.put_u64(at, value);
        image
    };
    let tag = image.u64_at(record("state")) & !0xffff_ffff;
    for count in [4, 21, 1 << 20, u64::from(u32::MAX)] {
        keeps_its_lock(&format!("a log of {count} entries"), &with(record("state"), tag | count));
    }
    let (entry, end) = (record("entries"), image.bytes.len() as u64);
    let liveness = end - size_of("Block") as u64 + 8;
    for place in [end, end - 4, u64::MAX, 3, 24, liveness] {
        keeps_its_lock(&format!("a log that names {place}"), &with(entry, place));
    }
    let [next, first, place, length] = [16, 24, 32, 40].map(|word| annex + word);
    for (what, at, value) in [
        ("an annex past the end", record("annex"), end),
        ("no annex where there should be one", record("annex"), 0),
        ("an annex at the end of numbers", record("annex"), u64::MAX),
        ("a range past the end", place, end - 8),
        ("a range in the header", place, 16),
        ("a range in what libc owns", place, liveness),
        ("a range that is longer than all", length, 1 << 40),
        ("a range of all numbers", length, u64::MAX),
    ] {
        keeps_its_lock(what, &with(at, value));
    }
    // An annex that comes after itself, and is never the one that is looked for.
    let mut ring = with(first, 30);
    ring.put_u64(next, annex as u64);
    keeps_its_lock("annexes in a ring", &ring);
    // Entries in an annex: as many as there are numbers.
    let mut many = with(place, 0);
    many.put_u64(length, u64::MAX);
    many.put_u64(record("state"), tag | u64::from(u32::MAX));
    keeps_its_lock("an annex that is longer than all", &many);
}

/// The undamaged estate is settled: what the tests above damage is no garbage already.
pub(crate) fn a_sound_log_of_the_dead_is_undone() {
    let (mut image, _) = with_transaction(&furnished());
    let place = image.object("array").at + image.object("array").span - 56;
    let was = image.u64_at(place);
    image.put_u64(place, !was);
    image.become_segment("damaged");
    let segment = Segment::open("damaged", &SegmentOptions::default()).expect("sound");
    let mutex = Mutex::open(&segment, Some("m1"), false).expect("there");
    let acquired = mutex.acquire(Deadline::NOW).expect("free");
    assert_eq!(acquired, Acquired::OwnerDied, "its owner was in a transaction, we are not");
    assert_eq!(Image::of("damaged").u64_at(place), was);
    segment.verify().expect("sound");
    Segment::unlink("damaged").expect("it has a name");
}

/// A repairer that cannot be one must not be waited for.
pub(crate) fn repairers_that_do_not_exist() {
    let (image, _) = with_transaction(&furnished());
    let Estate { participant, slot, .. } = estate(&image);
    let repairer = participant + field("ParticipantRecord", "repairer");
    let generation_of = |slot: usize| image.u64_at(image.record("participants", slot)) & 0xffff;
    let name = |slot: usize, generation: u64| (generation << 14 | slot as u64) << 32 | 1;
    let next = image.u64_at(field("Header", "next_slot")) as u32 as usize % 32;
    let cases = [
        ("itself", name(slot as usize, generation_of(slot as usize))),
        ("who was there when the image was made", name(0, generation_of(0))),
        ("whoever comes next", name(next, generation_of(next) + 1)),
        ("a slot that does not exist", name(9999, 1)),
        ("all bits", u64::MAX),
    ];
    let cases = cases.into_iter().map(|(what, value)| {
        let mut image = image.clone();
        image.put_u64(repairer, value);
        (format!("repaired by {what}"), image)
    });
    survives(cases);
}

pub(crate) fn damage_to_the_roster_is_found_out() {
    let image = furnished();
    let Estate { member, page, participant, .. } = estate(&image);
    let entries = page + field("HoldPage", "entries");
    let (vacant, taken): (Vec<usize>, Vec<usize>) =
        words(entries, 14 * 16).step_by(2).partition(|at| image.u64_at(*at) == 0);
    let (vacant, hold) = (vacant[0], taken[0]);
    let free = image.blocks().into_iter().find(|block| block.state == State::Free);
    let free = free.expect("a free block").at as u64;
    let holds = member + field("MemberRecord", "holds");
    let pages = image.blocks().into_iter().filter(|block| block.kind == HOLDS);
    let foreign = pages.map(|block| block.at).find(|at| *at < page).expect("an older page");
    let hint = participant + field("ParticipantRecord", "hints");
    let block_count = field("Header", "block_count");
    let odd = image.object("m3").at as u64 + 8;
    for (what, at, value) in [
        ("a hold of nothing", hold, free),
        ("a hold too many, of nothing", vacant, free),
        ("a hold past the end", hold, image.bytes.len() as u64),
        ("a hold at the end of numbers", hold, u64::MAX - 15),
        ("a hold of half an object", hold, odd),
        ("pages of holds in a ring", foreign + field("HoldPage", "next"), foreign as u64),
        ("a page of holds that is an object", holds, image.object("m3").at as u64),
        ("a page of holds past the end", holds, image.bytes.len() as u64),
        ("no page of holds where one is", holds, 0),
        ("a roster over the blocks", block_count, 10),
        ("a roster over everything", block_count, 512),
    ] {
        let mut image = image.clone();
        image.put_u64(at, value);
        is_found_out(what, &image);
    }
    for block in [image.bytes.len() as u64, u64::MAX, 64] {
        let mut image = image.clone();
        image.put_u64(hint, block);
        is_found_out_writing(&format!("a block in limbo at {block}"), &image);
    }
}
