//! Segments that somebody damaged: a status, never a fault, never an endless loop.
//!
//! Each case is a file of damaged bytes on which a process tries everything. It names
//! the case before, so that one which ends it is known. (What is damaged where: here files
//! and headers, and single bytes anywhere; in `hostile_space` and `hostile_roster` the
//! rest.)

use std::fs::{self, File};
use std::time::{Duration, Instant};

use atoll::{
    Array, Deadline, FetchOp, Mutex, RawArray, RawValue, Segment, SegmentOptions, Status, Type,
    TypeCode, Value,
};

use crate::hostile_waiting;
use crate::scene::{acquire, mutex, recursive_mutex, status, within};
use crate::support::child::{Child, Stage};
use crate::support::image::{Image, field, fields_of, path_of};

pub(crate) const NAME: &str = "damaged";
const READING: SegmentOptions =
    SegmentOptions { size: 0, mode: 0, read_only: true, ephemeral: false, max_participants: 0 };

/// A segment in which there is something of everything, also what the dead leave: locks
/// held, two pages of holds, and a named array "goes" that only they hold.
pub(crate) fn furnished() -> Image {
    let options = SegmentOptions { size: 256 << 10, ..SegmentOptions::default() };
    let segment = Segment::create("sound", &options).expect("created");
    let small = Value::<u64>::create(&segment, Some("small")).expect("room");
    let large = RawValue::create(&segment, Some("large"), &Type::bytes(40).expect("a type"), None);
    large.expect("room").store(&[3; 40], Deadline::NOW).expect("stored");
    drop(Array::<u16>::create(&segment, Some("array"), &[3, 5, 7]).expect("room"));
    // Both sorts of free blocks between others: small ones wait in a quick list.
    let anonymous = |bytes| Array::<u8>::create(&segment, None, &[bytes]).expect("room");
    let (passing, _stays) = ([anonymous(8), anonymous(3000)], anonymous(8));
    (0..18).for_each(|n| drop(mutex(&segment, &format!("m{n}"))));
    hostile_waiting::furnish(&segment);
    let mut victim = Child::spawn(|mut stage: Stage| {
        let segment = Segment::open("sound", &SegmentOptions::default()).expect("there");
        let _held: Vec<Mutex> = (0..18).map(|n| mutex(&segment, &format!("m{n}"))).collect();
        let _last = Array::<u8>::create(&segment, Some("goes"), &[500]).expect("room");
        acquire(&mutex(&segment, "m1"));
        acquire(&recursive_mutex(&segment, "recursive"));
        let _part = hostile_waiting::take_part(&segment);
        stage.tell("held");
        stage.stay();
    });
    victim.says("held");
    drop((passing, small));
    victim.kill();
    segment.wait_death(0, Deadline::NEVER).expect("a death");
    let image = Image::of("sound");
    Segment::unlink("sound").expect("unlinked");
    is_sound(&image);
    image
}

/// Nothing is wrong with it.
#[track_caller]
pub(crate) fn is_sound(image: &Image) {
    image.become_segment(NAME);
    for options in [&READING, &SegmentOptions::default()] {
        let segment = Segment::open(NAME, options).expect("the header is sound");
        if !options.read_only || !segment.verify().is_err_and(is_unsettled) {
            segment.verify().expect("all of it is sound");
        }
    }
    Segment::unlink(NAME).expect("it has a name");
}

/// What a reader is told who would have to undo something first.
fn is_unsettled(error: atoll::Error) -> bool {
    error.status() == Status::OwnerDied
}

/// That something is wrong is found out by who looks.
#[track_caller]
pub(crate) fn is_found_out(what: &str, image: &Image) {
    is_found_out_writing(what, image);
    image.become_segment(NAME);
    let error = verify(&READING).expect_err(what);
    assert!(error.status() == Status::Corrupted || is_unsettled(error), "{what}");
    Segment::unlink(NAME).expect("it has a name");
}

/// The same by who would have to settle what the dead have left, and cannot.
#[track_caller]
pub(crate) fn is_found_out_writing(what: &str, image: &Image) {
    image.become_segment(NAME);
    let error = verify(&SegmentOptions::default()).expect_err(what);
    assert_eq!(error.status(), Status::Corrupted, "{what}: {error}");
    Segment::unlink(NAME).expect("it has a name");
}

fn verify(options: &SegmentOptions) -> atoll::Result<()> {
    Segment::open(NAME, options)?.verify()
}

/// Everything that one can ask of a segment. Answers do not matter, but that they come.
fn everything() {
    if let Ok(segment) = Segment::open(NAME, &READING) {
        look(&segment);
    }
    everything_for_writing();
}

fn everything_for_writing() {
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
    hostile_waiting::look(segment);
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
    hostile_waiting::change(segment, || Deadline::NOW);
    let _ = Mutex::create(segment, Some("fresh"), false);
    let _ = Mutex::create(segment, None, true);
    // From a quick list, from a bin, and by growth; some of it at once given back.
    for bytes in [8, 3000, 40_000] {
        for _ in 0..2 {
            if let Ok(array) = Array::<u8>::create(segment, None, &[bytes]) {
                // SAFETY: the library says that the array has so many bytes.
                unsafe { array.as_ptr().write_bytes(0x55, bytes as usize) };
            }
        }
    }
    let _held: Vec<_> =
        (0..18).map(|n| Mutex::open(segment, Some(&format!("m{n}")), false)).collect();
    let _ = Value::<u8>::open_or_create(segment, "m3");
    let scalar = Type::scalar(TypeCode::F64).expect("a type");
    if let Ok(array) = RawArray::open_or_create(segment, Some("new"), &scalar, &[9, 9]) {
        touch(&array);
    }
    let _ = segment.wait_death(0, Deadline::NOW);
}

/// Has a process try everything on each of the cases. If one ends it, that one is named.
pub(crate) fn survives(cases: impl Iterator<Item = (String, Image)>) {
    survives_trying(everything, cases);
}

/// The same without readers, who have to look for long before they give up where there is
/// something to undo.
pub(crate) fn survives_writing(cases: impl Iterator<Item = (String, Image)>) {
    survives_trying(everything_for_writing, cases);
}

pub(crate) fn survives_trying(what: fn(), cases: impl Iterator<Item = (String, Image)>) {
    let mut child = Child::fork(|mut stage| {
        for (case, image) in cases {
            stage.tell(case);
            image.become_segment(NAME);
            what();
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
    // A damaged word may say that somebody listens, so that there are bells of a segment
    // that is gone.
    Segment::gc().expect("the directory can be read");
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

/// Each of the words damaged: to what is absurd, and to what looks plausible.
pub(crate) fn each_word_damaged(
    image: &Image,
    what: &str,
    words: impl Iterator<Item = usize>,
) -> impl Iterator<Item = (String, Image)> {
    let some_object = image.object("m9").at as u64;
    words.flat_map(move |at| {
        let was = image.u64_at(at);
        let plausible = [was ^ 1 << 3, was ^ 1 << 4, was ^ 1 << 52, at as u64, some_object];
        let plausible = plausible.into_iter().map(move |damage| {
            let mut image = image.clone();
            image.put_u64(at, damage);
            (format!("{what}, word at {at}: {was:#x} -> {damage:#x}"), image)
        });
        damaged(image, &format!("{what}, word at {at}"), at, true).into_iter().chain(plausible)
    })
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
    is_refused(&with("flags", &[128, 0, 0, 0]), Corrupted, "flags");

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
