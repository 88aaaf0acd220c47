//! The same for what the space of a segment is made of: blocks, the page that rules them,
//! the directory's chains, and open logs.

use crate::hostile::{
    each_word_damaged, furnished, is_found_out, is_sound, survives, survives_writing,
};
use crate::hostile_waiting::is_waited_for;
use crate::support::image::{Block, HOLDS, Image, State, control, field, heap_start, size_of};

fn words(from: usize, bytes: usize) -> impl Iterator<Item = usize> {
    (from..from + bytes).step_by(8)
}

/// All of what is different, and the heads of what is the same again and again.
pub(crate) fn each_word_of_the_blocks_damaged() {
    let image = furnished();
    let blocks = image.blocks();
    for state in [State::Free, State::Quick, State::Used] {
        assert!(blocks.iter().any(|block| block.state == state), "no {state:?} block: {blocks:?}");
    }
    assert!(blocks.iter().filter(|block| block.kind == HOLDS).count() > 2, "{blocks:?}");
    let mut seen = Vec::new();
    for Block { at, span, state, kind } in blocks {
        let is_new = !seen.contains(&(state, kind));
        seen.push((state, kind));
        // What is waited for has a test of its own (`hostile_waiting`).
        let bytes = span.min(if is_new && !is_waited_for(kind) { 448 } else { 64 });
        survives(each_word_damaged(&image, &format!("{state:?} block"), words(at, bytes)));
        if state == State::Free {
            survives(each_word_damaged(&image, "end of a free block", words(at + span - 8, 8)));
        }
    }
}

pub(crate) fn each_word_that_rules_the_space_damaged() {
    let image = furnished();
    let locks = ["heap", "directory"].map(control);
    let page = control("top")..control("unused");
    // Two empty bins stand for all of them.
    let mut empty = 0;
    let is_worth_it = |at: &usize| {
        empty += usize::from(image.u64_at(*at) == 0 && *at >= control("quick"));
        image.u64_at(*at) != 0 || *at < control("quick") || empty < 3
    };
    let page: Vec<usize> = page.step_by(8).filter(is_worth_it).collect();
    assert!(page.len() > 15, "{} words", page.len());
    survives(each_word_damaged(&image, "control page", page.into_iter()));
    let lock = locks.into_iter().flat_map(|lock| words(lock, 128));
    survives(each_word_damaged(&image, "lock of the space", lock));
    let heads = words(size_of("Header"), size_of("Buckets"));
    let heads: Vec<usize> = heads.filter(|at| image.u64_at(*at) != 0).collect();
    survives(each_word_damaged(&image, "directory", heads.into_iter().take(6)));
}

/// An image in which somebody died in the middle of a change: two entries that count,
/// which change nothing.
fn with_open_log(image: &Image, lock: &str) -> (Image, usize) {
    let mut image = image.clone();
    let body = control(lock);
    image.put_u64(body + field("GuardedBody", "state"), 7 << 32 | 2);
    let entries = body + field("GuardedBody", "entries");
    let places = [control("free"), image.object("m2").at + field("Entry", "holders")];
    for (number, place) in places.into_iter().enumerate() {
        let old = image.u64_at(place);
        image.put_u64(entries + 16 * number, place as u64);
        image.put_u64(entries + 16 * number + 8, old);
    }
    (image, entries)
}

pub(crate) fn logs_of_the_space_with_garbage() {
    let image = furnished();
    for lock in ["heap", "directory"] {
        let (open, entries) = with_open_log(&image, lock);
        is_sound(&open);
        let log = words(entries, 32).chain([control(lock) + field("GuardedBody", "state")]);
        survives_writing(each_word_damaged(&open, &format!("log of the {lock}"), log));
        let with = |at: usize, value: u64| {
            let mut image = open.clone();
            image.put_u64(at, value);
            image
        };
        let state = control(lock) + field("GuardedBody", "state");
        for count in [33, 1 << 20, u64::from(u32::MAX)] {
            is_found_out(&format!("a log of {count} entries"), &with(state, count));
        }
        let end = open.bytes.len() as u64;
        // What no log may name: the first page, and what libc owns.
        let liveness = open.bytes.len() - size_of("Block") + 8;
        for place in [end, end - 4, u64::MAX, 3, field("Header", "size") as u64, liveness as u64] {
            is_found_out(&format!("a log that names {place}"), &with(entries, place));
        }
    }
}

/// What is wrong is not only survived.
pub(crate) fn damage_to_the_space_is_found_out() {
    let image = furnished();
    let blocks = image.blocks();
    let find = |state, kind| {
        let found = blocks.iter().find(|block| block.state == state && block.kind == kind);
        *found.unwrap_or_else(|| panic!("no {state:?} block of kind {kind}: {blocks:?}"))
    };
    let free = *blocks.iter().find(|block| block.state == State::Free).expect("a free block");
    let (quick, page) = (find(State::Quick, 0), find(State::Used, HOLDS));
    let (array, named) = (image.object("array"), image.object("m9"));
    let plus = |at: usize, difference: u64| (at, image.u64_at(at).wrapping_add(difference));
    let cases = [
        ("a block that is longer than it is", plus(array.at + 8, 16)),
        ("a block that is shorter than it is", plus(named.at + 8, 16u64.wrapping_neg())),
        ("a block without a length", (array.at + 8, 0)),
        ("a block of nobody", (named.at, 0)),
        ("a block of a kind that does not exist", (named.at, 4 << 60 | 77 << 52)),
        ("a block of a slot that does not exist", (page.at, 3 << 60 | 9999)),
        ("an object as somebody's page", (named.at, 4 << 60 | u64::from(HOLDS) << 52)),
        ("a mark where nothing is free", plus(heap_start() + 8, 1)),
        ("a free block that ends with another length", plus(free.at + free.span - 8, 16)),
        ("a free block that comes after itself", (free.at + 16, free.at as u64)),
        ("a free block that is said to be used", (free.at, 4 << 60 | 1 << 52)),
        ("a quick block that comes after itself", (quick.at + 16, quick.at as u64)),
        ("a quick block that is said to be free", (quick.at, 1 << 60)),
        ("an end of the heap inside a block", plus(control("top"), 16u64.wrapping_neg())),
        ("an end of the heap past its memory", plus(control("top"), 1 << 20)),
        ("a count of free bytes that is too high", plus(control("free"), 16)),
        ("a mark of clean memory at an end that is not there", (control("touched"), 64)),
        ("a mark for the last block that is wrong", plus(control("top_mark"), 1)),
        ("a quick list that leads to an object", (control("quick"), named.at as u64)),
        ("a bin that leads to an object", (control("bins"), named.at as u64)),
        ("a bit for an empty bin", (control("occupied") + 16, u64::MAX)),
        ("a holder too many", plus(named.at + field("Entry", "holders"), 1)),
        ("a name with another hash", plus(named.at + field("Entry", "name_length"), 1 << 32)),
        ("a name that is too long", plus(named.at + field("Entry", "name_length"), 62)),
        (
            "a body that is longer than its block",
            (array.at + field("Entry", "body_bytes"), 1 << 30),
        ),
        ("an object that was removed and is linked", (named.at + field("Entry", "removed"), 1)),
    ];
    for (what, (at, value)) in cases {
        let mut image = image.clone();
        assert_ne!(image.u64_at(at), value, "{what}: no damage");
        image.put_u64(at, value);
        is_found_out(what, &image);
    }
}

pub(crate) fn chains_that_loop_or_lead_astray() {
    let image = furnished();
    let next = field("Entry", "next");
    let is_named =
        |block: &Block| image.u64_at(block.at + field("Entry", "name_length")) as u32 != 0;
    let named: Vec<usize> =
        image.objects().into_iter().filter(is_named).map(|block| block.at).collect();
    let buckets = size_of("Header");
    let mut cases = Vec::new();
    let mut case = |what: &str, change: &dyn Fn(&mut Image)| {
        let mut image = image.clone();
        change(&mut image);
        cases.push((what.to_owned(), image));
    };
    case("an entry that follows itself", &|image| {
        named.iter().for_each(|at| image.put_u64(at + next, *at as u64));
    });
    case("entries in a ring", &|image| {
        for (number, at) in named.iter().enumerate() {
            image.put_u64(at + next, named[(number + 1) % named.len()] as u64);
        }
    });
    let mut all_lead_to = |what: &str, place: u64| {
        case(what, &|image| {
            words(buckets, size_of("Buckets")).for_each(|head| image.put_u64(head, place));
        });
    };
    all_lead_to("all chains in one", named[0] as u64);
    all_lead_to("chains into the header", 64);
    all_lead_to("chains past the end", u64::MAX - 8);
    all_lead_to("chains to odd places", named[1] as u64 + 1);
    all_lead_to("chains to a free block", image.blocks().last().expect("a block").at as u64);
    // They must be found out, not only survived.
    cases.iter().for_each(|(what, image)| is_found_out(what, image));
    survives(cases.into_iter());
}
