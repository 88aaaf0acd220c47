//! Segments that somebody damaged: a status, never a fault, never an endless loop.
//!
//! Each case is a file of damaged bytes on which a process tries everything. It names
//! the case before, so that one which ends it is known.

use std::fs::{self, File};
use std::time::{Duration, Instant};

use atoll::{
    Array, Deadline, FetchOp, Mutex, RawArray, RawValue, Segment, SegmentOptions, Status, Type,
    TypeCode, Value,
};

use crate::scene::{acquire, mutex, recursive_mutex, status, within};
use crate::support::child::{Child, Stage};
use crate::support::image::{Image, field, fields_of, path_of};

const NAME: &str = "damaged";
const READING: SegmentOptions =
    SegmentOptions { size: 0, mode: 0, read_only: true, ephemeral: false, max_participants: 0 };

/// A segment in which there is something of everything, also what the dead leave.
fn furnished() -> Image {
    let options = SegmentOptions { size: 256 << 10, ..SegmentOptions::default() };
    let segment = Segment::create("sound", &options).expect("created");
    drop(Value::<u64>::create(&segment, Some("small")).expect("room"));
    let large = RawValue::create(&segment, Some("large"), &Type::bytes(40).expect("a type"));
    large.expect("room").store(&[3; 40], Deadline::NOW).expect("stored");
    drop(Array::<u16>::create(&segment, Some("array"), &[3, 5, 7]).expect("room"));
    drop(Mutex::create(&segment, None, false).expect("room"));
    (0..20).for_each(|n| drop(mutex(&segment, &format!("m{n}"))));
    let mut victim = Child::spawn(|mut stage: Stage| {
        let segment = Segment::open("sound", &SegmentOptions::default()).expect("there");
        acquire(&mutex(&segment, "m1"));
        acquire(&recursive_mutex(&segment, "recursive"));
        stage.tell("held");
        stage.stay();
    });
    victim.says("held");
    victim.kill();
    segment.wait_death(0, Deadline::NEVER).expect("a death");
    segment.verify().expect("sound");
    let image = Image::of("sound");
    Segment::unlink("sound").expect("unlinked");
    image
}

/// Everything that one can ask of a segment. Answers do not matter, but that they come.
fn everything() {
    if let Ok(segment) = Segment::open(NAME, &READING) {
        look(&segment);
    }
    let Ok(segment) = Segment::open(NAME, &SegmentOptions::default()) else { return };
    look(&segment);
    change(&segment);
    look(&segment);
}

fn look(segment: &Segment) {
    let _ = segment.verify();
    let _ = segment.info();
    let mut names = Vec::new();
    let _ = segment.objects(0, &mut |object| {
        names.push(object.name.clone());
        names.len() < 10_000
    });
    let _ = segment.objects(3, &mut |_| false);
    if let Ok(value) = RawValue::open(segment, Some("large"), None) {
        let _ = value.load(&mut [0; 4096]);
    }
    if let Ok(value) = RawValue::open(segment, Some("small"), None) {
        let _ = value.load(&mut [0; 8]);
    }
    if let Ok(array) = RawArray::open(segment, Some("array"), None, None) {
        touch(&array);
    }
    if let Ok(array) = Array::<u16>::open(segment, "array") {
        let _ = (array.get(0), array.get(array.len().wrapping_sub(1)));
    }
    for name in ["m1", "m9", "none"] {
        if let Ok(mutex) = Mutex::open(segment, Some(name), false) {
            let _ = (mutex.owner(), mutex.dead_owner());
        }
    }
}

/// What an array offers is memory.
fn touch(array: &RawArray) {
    for at in [0, array.bytes().saturating_sub(1)] {
        if at < array.bytes() {
            let byte = array.data().wrapping_add(at as usize);
            // SAFETY: inside the array, which the library says is mapped: what is tested.
            unsafe { byte.read_volatile() };
        }
    }
}

fn change(segment: &Segment) {
    let soon = || within(Duration::from_micros(200));
    for (name, recursive) in [("m1", false), ("m2", false), ("recursive", true)] {
        let Ok(mutex) = Mutex::open(segment, Some(name), recursive) else { continue };
        let is_held = mutex.acquire(soon()).is_ok();
        let _ = (mutex.owner(), mutex.dead_owner(), mutex.mark_consistent());
        let released = mutex.release();
        assert!(!is_held || released.is_ok(), "a mutex that was taken can be given back");
    }
    if let Ok(value) = RawValue::open(segment, Some("small"), None) {
        let mut old = [0; 64];
        let _ = value.store(&[0; 8], soon());
        let _ = value.fetch(FetchOp::Add, &[1; 8], &mut old);
    }
    if let Ok(value) = RawValue::open(segment, Some("large"), None) {
        let bytes = value.ty().size().min(1 << 20) as usize;
        let _ = value.store(&vec![1; bytes], soon());
    }
    let _ = Mutex::create(segment, Some("fresh"), false);
    let _ = Mutex::create(segment, None, true);
    let _ = Value::<u8>::open_or_create(segment, "m3");
    let scalar = Type::scalar(TypeCode::F64).expect("a type");
    if let Ok(array) = RawArray::open_or_create(segment, Some("new"), &scalar, &[9, 9]) {
        touch(&array);
    }
    let _ = segment.wait_death(0, Deadline::NOW);
}

/// Has a process try everything on each of the cases. If one ends it, that one is named.
fn survives(cases: impl Iterator<Item = (String, Image)>) {
    let mut child = Child::fork(|mut stage| {
        for (case, image) in cases {
            stage.tell(case);
            image.become_segment(NAME);
            everything();
        }
        stage.tell("all of them");
    });
    let mut last = "the first one".to_owned();
    loop {
        match child.hear().as_str() {
            "all of them" => break,
            "(nothing: it has ended)" => panic!("it did not survive {last}"),
            case => last = case.to_owned(),
        }
    }
    child.ends_well();
    let _ = fs::remove_file(path_of(NAME));
}

/// What a word may be damaged to.
const DAMAGES: [u64; 9] = [0, 1, 63, 4096, 1 << 18, 1 << 31, 1 << 46, u64::MAX - 63, u64::MAX];

fn damaged(image: &Image, what: &str, offset: usize, wide: bool) -> Vec<(String, Image)> {
    let bytes = if wide { 8 } else { 4 };
    let cases = DAMAGES.into_iter().map(|damage| {
        let mut image = image.clone();
        image.put(offset, &damage.to_le_bytes()[..bytes]);
        (format!("{what} = {damage:#x}"), image)
    });
    cases.collect()
}

/// Opening says what is wrong with it.
#[track_caller]
fn is_refused(image: &Image, wanted: Status, words: &str) {
    image.become_segment(NAME);
    for options in [&READING, &SegmentOptions::default()] {
        let error = Segment::open(NAME, options).expect_err("not a sound segment");
        assert_eq!(error.status(), wanted, "{error}");
        assert!(error.text().contains(words), "{words:?} is missing: {error}");
    }
    Segment::unlink(NAME).expect("it has a name");
}

pub(crate) fn files_that_are_no_segments() {
    let image = furnished();
    let foreign =
        |bytes: Vec<u8>| is_refused(&Image { bytes }, Status::Incompatible, "not an atoll");
    foreign(Vec::new());
    foreign(vec![0; 100]);
    foreign(vec![0; 1 << 20]);
    foreign(b"#!/bin/sh\n".repeat(1000));
    let mut generator = Generator(1);
    foreign((0..100_000).map(|_| generator.next() as u8).collect());

    let stump = Image { bytes: image.bytes[..4096].to_vec() };
    is_refused(&stump, Status::Corrupted, "cut short");
    let shorter = Image { bytes: image.bytes[..image.bytes.len() - 4096].to_vec() };
    is_refused(&shorter, Status::Corrupted, "length");
    let longer = Image { bytes: [&image.bytes[..], &[0; 4096]].concat() };
    is_refused(&longer, Status::Corrupted, "length");

    let make: [fn(&std::path::Path); 4] = [
        |path| fs::create_dir(path).expect("a directory"),
        |path| std::os::unix::fs::symlink("/etc/passwd", path).expect("a link"),
        |path| drop(std::os::unix::net::UnixListener::bind(path).expect("a socket")),
        |path| {
            let path = std::ffi::CString::new(path.to_str().expect("UTF-8")).expect("no NUL");
            // SAFETY: a NUL-terminated string.
            assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
        },
    ];
    for make in make {
        let path = path_of(NAME);
        make(&path);
        for options in [&READING, &SegmentOptions::default()] {
            assert_eq!(status(Segment::open(NAME, options)), Status::Incompatible);
        }
        fs::remove_file(&path).or_else(|_| fs::remove_dir(&path)).expect("removed");
    }
}

pub(crate) fn each_field_of_the_header_damaged() {
    let image = furnished();
    let with = |name: &str, bytes: &[u8]| {
        let mut image = image.clone();
        image.put(field("Header", name), bytes);
        image
    };
    use Status::{Corrupted, Incompatible};
    is_refused(&with("magic", b"atollseg"), Incompatible, "not an atoll");
    is_refused(&with("layout_version", &[99, 0, 0, 0]), Incompatible, "version 99");
    is_refused(&with("fingerprint", &[1; 8]), Incompatible, "0101010101010101");
    is_refused(&with("size", &[1; 8]), Corrupted, "length");
    is_refused(&with("max_participants", &[0; 4]), Corrupted, "participants");
    is_refused(&with("max_participants", &[255; 4]), Corrupted, "participants");
    is_refused(&with("committed", &[0; 8]), Corrupted, "committed");
    is_refused(&with("committed", &[255; 8]), Corrupted, "committed");
    is_refused(&with("flags", &[1, 0, 0, 0]), Corrupted, "flags");

    let fields = fields_of("Header").filter(|(name, _)| *name != "magic");
    survives(fields.flat_map(|(name, offset)| {
        let narrow = damaged(&image, name, offset, false);
        narrow.into_iter().chain(damaged(&image, name, offset, true))
    }));
    // The length of the file agrees with the header, and both are absurd.
    let huge = with("size", &(1u64 << 46).to_le_bytes());
    huge.become_segment(NAME);
    File::options()
        .write(true)
        .open(path_of(NAME))
        .and_then(|f| f.set_len(1 << 46))
        .expect("sparse");
    everything();
    Segment::unlink(NAME).expect("it has a name");
}

/// Offsets of the published records of an image, and what is in them.
fn records(image: &Image) -> Vec<usize> {
    const START: usize = 8192;
    const SPAN: u64 = (1 << 56) - 1;
    let mut offsets = Vec::new();
    let mut at = START;
    while at + 8 <= image.bytes.len() && image.u64_at(at) != 0 {
        offsets.push(at);
        at += (image.u64_at(at) & SPAN) as usize;
    }
    offsets
}

pub(crate) fn each_field_of_the_records_damaged() {
    let image = furnished();
    let records = records(&image);
    assert!(records.len() > 25, "{} records", records.len());
    let words_of = |record: usize| (0..56).map(move |word| record + 8 * word);
    let places = records.into_iter().flat_map(words_of).filter(|at| at + 8 <= image.bytes.len());
    survives(places.flat_map(|at| damaged(&image, &format!("word at {at}"), at, true)));
    // Roster: every word of the first two records of each sort.
    let block = image.u64_at(field("Header", "blocks")) as usize;
    let sorts = [("participants", 256), ("members", 128)];
    let places = sorts.iter().flat_map(|(sort, bytes)| {
        (0..bytes / 8).map(move |word| block + field("Block", sort) + 8 * word)
    });
    survives(places.flat_map(|at| damaged(&image, &format!("roster word at {at}"), at, true)));
}

pub(crate) fn chains_that_loop_or_lead_astray() {
    let image = furnished();
    let next = field("Entry", "next");
    let named: Vec<usize> = records(&image)
        .into_iter()
        .filter(|at| image.u64_at(at + field("Entry", "name_length")) as u32 != 0)
        .filter(|at| image.bytes[at + 7] < 0xfe)
        .collect();
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
    case("all chains in one", &|image| {
        (0..512).for_each(|bucket| image.put_u64(4096 + 8 * bucket, named[0] as u64));
    });
    case("chains into the header", &|image| {
        (0..512).for_each(|bucket| image.put_u64(4096 + 8 * bucket, 64));
    });
    case("chains past the end", &|image| {
        (0..512).for_each(|bucket| image.put_u64(4096 + 8 * bucket, u64::MAX - 8));
    });
    case("chains to odd places", &|image| {
        (0..512).for_each(|bucket| image.put_u64(4096 + 8 * bucket, named[1] as u64 + 1));
    });
    case("blocks of the roster over the header", &|image| {
        let blocks = field("Header", "blocks");
        (0..256).for_each(|block| image.put_u64(blocks + 8 * block, 0));
    });
    case("blocks of the roster all at one place", &|image| {
        let blocks = field("Header", "blocks");
        let first = image.u64_at(blocks);
        (0..256).for_each(|block| image.put_u64(blocks + 8 * block, first));
        image.put(field("Header", "block_count"), &256u32.to_le_bytes());
    });
    // A loop must be found out, not only survived.
    for (what, image) in &cases[..3] {
        image.become_segment(NAME);
        let segment = Segment::open(NAME, &SegmentOptions::default()).expect("the header is sound");
        assert_eq!(status(segment.verify()), Status::Corrupted, "{what}");
        let missing = Mutex::open(&segment, Some("not there"), false);
        assert_ne!(status(missing), Status::Ok, "{what}");
    }
    survives(cases.into_iter());
}

/// Numbers that look random and are the same each time.
struct Generator(u64);

impl Generator {
    /// The SplitMix64 sequence.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}

/// For ten seconds: one byte each time, where there is something.
pub(crate) fn single_bytes_damaged() {
    const SPAN: Duration = Duration::from_secs(10);
    let image = furnished();
    let used: Vec<usize> = (0..image.bytes.len()).filter(|at| image.bytes[*at] != 0).collect();
    let seed = std::env::var("ATOLL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut generator = Generator(seed);
    let start = Instant::now();
    let cases = std::iter::from_fn(|| {
        if start.elapsed() > SPAN {
            return None;
        }
        let mut image = image.clone();
        // Every second one among the bytes that are not zero, the others in their
        // neighbourhood.
        let at = used[generator.next() as usize % used.len()];
        let near = generator.next() as usize % 256;
        let at =
            if generator.next().is_multiple_of(2) { at } else { (at + near) % image.bytes.len() };
        let was = image.bytes[at];
        image.bytes[at] ^= (generator.next() as u8).max(1);
        Some((format!("byte {at}: {was:#x} -> {:#x} (seed {seed})", image.bytes[at]), image))
    });
    survives(cases);
}
