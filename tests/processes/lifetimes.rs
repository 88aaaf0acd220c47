//! How long objects live: names keep them, and who has them open, dead or alive.

use std::thread;
use std::time::{Duration, Instant};

use atoll::{Array, Mutex, RawArray, Segment, Status, Ticket, Type, TypeCode, Value};

use crate::odd_forks::fork_without_descriptors;
use crate::scene::{found, open, status};
use crate::support::child::{Child, Stage};
use crate::support::system;

/// Objects, and bytes that something takes. What is free is all the rest.
pub(crate) fn account(segment: &Segment) -> (u64, u64) {
    let info = segment.info().expect("readable");
    assert_eq!(info.used + info.free, info.committed, "every byte is accounted for");
    segment.verify().expect("sound");
    (info.objects, info.used)
}

/// So that none comes up while a test counts bytes: pages of holds stay as long as their
/// member does.
pub(crate) fn make_pages_of_holds(segment: &Segment) {
    let make = |_| Mutex::create(segment, None, false).expect("room");
    drop((0..100).map(make).collect::<Vec<_>>());
}

fn bytes(count: u64) -> Type {
    Type::bytes(count).expect("a type")
}

/// An anonymous array whose bytes are all `mark`.
fn marked(segment: &Segment, mark: u8) -> RawArray {
    let array = RawArray::create(segment, None, &bytes(1), &[300]).expect("room");
    // SAFETY: the array is that long.
    unsafe { array.data().write_bytes(mark, 300) };
    array
}

#[track_caller]
fn is_marked(array: &RawArray, mark: u8) {
    // SAFETY: the array is that long.
    let bytes = unsafe { std::slice::from_raw_parts(array.data(), 300) };
    assert!(bytes.iter().all(|byte| *byte == mark), "array {mark} is another one now");
}

/// A ticket as a line, as it would be sent through a pipe.
fn to_line(ticket: &Ticket) -> String {
    let words = ticket.words.map(|word| word.to_string()).join(" ");
    format!("{} {} {words}", ticket.segment, ticket.identity)
}

fn of_line(line: &str) -> Ticket {
    let mut words = line.split(' ');
    let segment = words.next().expect("a name").to_owned();
    let mut number = || words.next().and_then(|word| word.parse().ok()).expect("a number");
    Ticket { segment, identity: number(), words: std::array::from_fn(|_| number()) }
}

pub(crate) fn an_anonymous_object_goes_with_its_last_handle() {
    let segment = found();
    make_pages_of_holds(&segment);
    let before = account(&segment);
    let scalar = Type::scalar(TypeCode::I64).expect("a type");
    let makers: [&dyn Fn() -> Ticket; 3] = [
        &|| Mutex::create(&segment, None, false).expect("room").export().expect("room"),
        &|| marked(&segment, 1).export().expect("room"),
        &|| {
            let value = atoll::RawValue::create(&segment, None, &scalar, None).expect("room");
            value.export().expect("room")
        },
    ];
    for make in makers {
        // The ticket alone keeps it now.
        let ticket = make();
        let (objects, used) = account(&segment);
        assert!(objects == before.0 + 1 && used > before.1, "{objects} objects, {used} bytes");
        let drop_it = |ticket: &Ticket| match ticket.words[0] {
            4 => status(RawArray::import(ticket)),
            3 => status(atoll::RawValue::import(ticket)),
            _ => status(Mutex::import(ticket)),
        };
        assert_eq!(drop_it(&ticket), Status::Ok);
        assert_eq!(account(&segment), before);
        assert_eq!(drop_it(&ticket), Status::NotFound, "a ticket that was used up");
    }
    // Two handles of one process are one holder: the second one keeps it.
    let first = marked(&segment, 2);
    let second = RawArray::import(&first.export().expect("room")).expect("open still");
    drop(first);
    is_marked(&second, 2);
    assert_eq!(account(&segment).0, before.0 + 1);
    drop(second);
    assert_eq!(account(&segment), before);
}

pub(crate) fn a_named_object_stays() {
    let segment = found();
    Value::<u64>::create(&segment, Some("v")).expect("room").store(7).expect("stored");
    let mut other = Child::spawn(|mut stage: Stage| {
        let value = Value::<u64>::open(&open(), "v").expect("there");
        stage.tell(value.load());
        stage.stay();
    });
    other.says("7");
    other.kill();
    let objects = account(&segment).0;
    assert_eq!(Value::<u64>::open(&segment, "v").expect("there").load(), 7);
    assert_eq!(objects, 1);
}

/// Whoever looks next sees that the last holder is gone.
pub(crate) fn the_death_of_the_last_holder_frees_it() {
    const HUGE: u64 = 50 << 20;
    let segment = found();
    make_pages_of_holds(&segment);
    let before = account(&segment);
    let looks: [fn(&Segment); 4] = [
        |segment| assert_eq!(segment.info().expect("readable").objects, 0),
        |segment| segment.verify().expect("sound"),
        // There is room for one of them only.
        |segment| drop(Array::<u8>::create(segment, None, &[HUGE]).expect("room again")),
        |segment| {
            let mut seen = 0;
            let mut count = |_: &atoll::ObjectInfo| {
                seen += 1;
                true
            };
            segment.objects(0, &mut count).expect("readable");
            assert_eq!(seen, 0);
        },
    ];
    for look in looks {
        let mut holder = Child::spawn(|mut stage: Stage| {
            let segment = open();
            let _mutexes: Vec<_> = (0..40).map(|_| Mutex::create(&segment, None, true)).collect();
            let _huge = Array::<u8>::create(&segment, None, &[HUGE]).expect("room");
            stage.tell("holding");
            stage.stay();
        });
        holder.says("holding");
        let (objects, used) = account(&segment);
        assert!(objects == 41 && used > HUGE, "{objects} objects, {used} bytes");
        holder.kill();
        look(&segment);
        assert_eq!(account(&segment), before);
    }
}

pub(crate) fn a_removed_object_stays_for_its_holders() {
    let segment = found();
    make_pages_of_holds(&segment);
    let before = account(&segment);
    let leaves: [fn(Child); 2] = [Child::leaves, Child::kill];
    for leave in leaves {
        let old = Value::<u64>::create(&segment, Some("v")).expect("room");
        old.store(1).expect("stored");
        let mut holder = Child::spawn(|mut stage: Stage| {
            let value = Value::<u64>::open(&open(), "v").expect("there");
            stage.tell("holding");
            stage.wait_for("removed");
            stage.tell(value.load());
            stage.wait_for("leave");
        });
        holder.says("holding");
        drop(old);
        atoll::RawValue::remove(&segment, "v").expect("there");
        assert_eq!(status(Value::<u64>::open(&segment, "v")), Status::NotFound);
        assert_eq!(status(atoll::RawValue::remove(&segment, "v")), Status::NotFound);
        let new = Value::<u64>::create(&segment, Some("v")).expect("the name is free");
        new.store(2).expect("stored");
        assert_eq!(account(&segment).0, before.0 + 2);
        holder.tell("removed");
        holder.says("1");
        leave(holder);
        assert_eq!(account(&segment).0, before.0 + 1);
        assert_eq!(new.load(), 2);
        drop(new);
        assert_eq!(account(&segment).0, before.0 + 1, "its name keeps it");
        atoll::RawValue::remove(&segment, "v").expect("there");
        assert_eq!(account(&segment), before);
    }
}

pub(crate) fn a_ticket_carries_an_object_to_another_process() {
    let segment = found();
    make_pages_of_holds(&segment);
    let before = account(&segment);
    let part = |mut stage: Stage| {
        let array = RawArray::import(&of_line(&stage.hear())).expect("it has arrived");
        is_marked(&array, 9);
        stage.tell("received");
        stage.wait_for("leave");
    };
    let array = marked(&segment, 9);
    let mut receivers = [Child::spawn(part), Child::spawn(part)];
    receivers[0].tell(to_line(&array.export().expect("room")));
    receivers[0].says("received");
    // A copy of a ticket that is used up, as long as somebody has the object open.
    let ticket = to_line(&array.export().expect("room"));
    drop(array);
    receivers[1].tell(&ticket);
    receivers[1].says("received");
    let late = RawArray::import(&of_line(&ticket)).expect("open elsewhere");
    receivers.into_iter().for_each(Child::leaves);
    is_marked(&late, 9);
    drop(late);
    assert_eq!(status(RawArray::import(&of_line(&ticket))), Status::NotFound);
    assert_eq!(account(&segment), before);
}

pub(crate) fn a_ticket_goes_with_who_wrote_it() {
    let segment = found();
    make_pages_of_holds(&segment);
    let before = account(&segment);
    let mut sender = Child::spawn(|mut stage: Stage| {
        let segment = open();
        let tickets: Vec<Ticket> =
            (0..50).map(|mark| marked(&segment, mark).export().expect("room")).collect();
        stage.tell(to_line(&tickets[30]));
        stage.stay();
    });
    let taken = of_line(&sender.hear());
    assert_eq!(account(&segment).0, before.0 + 50);
    let taken = RawArray::import(&taken).expect("on its way");
    sender.kill();
    assert_eq!(account(&segment).0, before.0 + 1);
    is_marked(&taken, 30);
    drop(taken);
    assert_eq!(account(&segment), before);
}

const INHERITED: u8 = 100;

/// A parent with a hundred objects that only it holds, and a child of its that has them
/// too, and speaks with the director. The parent closes them at once, or stays.
fn family(mut stage: Stage, how: fn() -> i32, closes: bool) {
    let segment = open();
    let arrays: Vec<RawArray> = (0..INHERITED).map(|mark| marked(&segment, mark)).collect();
    let mut child = Child::fork_by(how, |_| {
        // It holds what it inherited from the fork on, or from its first call on.
        if !closes {
            segment.info().expect("the first call");
        }
        stage.tell("born");
        stage.wait_for("look");
        (0..).zip(&arrays).for_each(|(mark, array)| is_marked(array, mark));
        segment.verify().expect("sound");
        stage.tell("all there");
        stage.wait_for("leave");
        system::end_abruptly(0);
    });
    if closes {
        drop(arrays);
    }
    child.hear();
}

fn a_child_keeps_what_it_inherits(part: fn(Stage), parent_is_killed: bool) {
    let segment = found();
    make_pages_of_holds(&segment);
    let before = account(&segment);
    let mut family = Child::spawn(part);
    family.says("born");
    if parent_is_killed {
        family.end();
    }
    assert_eq!(account(&segment).0, before.0 + u64::from(INHERITED));
    // Who comes now would be given their places if they were free.
    let others: Vec<RawArray> = (200..250).map(|mark| marked(&segment, mark)).collect();
    family.tell("look");
    family.says("all there");
    drop(others);
    assert_eq!(account(&segment).0, before.0 + u64::from(INHERITED));
    family.tell("leave");
    assert_eq!(family.hear(), "(nothing: it has ended)");
    drop(family);
    while account(&segment) != before {
        // The child of a killed parent is not ours to wait for.
        thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn a_child_keeps_what_its_parent_closes() {
    a_child_keeps_what_it_inherits(|stage| family(stage, system::fork, true), false);
}

pub(crate) fn a_child_keeps_what_its_killed_parent_had() {
    a_child_keeps_what_it_inherits(|stage| family(stage, system::fork, false), true);
}

pub(crate) fn a_child_that_was_not_expected_takes_its_share() {
    a_child_keeps_what_it_inherits(|stage| family(stage, fork_without_descriptors, false), true);
}

/// Too late: the parent has closed it before the child made a call.
pub(crate) fn a_child_that_comes_too_late_is_told() {
    let segment = found();
    make_pages_of_holds(&segment);
    let before = account(&segment);
    let array = marked(&segment, 1);
    let mut child = Child::fork_by(fork_without_descriptors, |mut stage| {
        stage.wait_for("closed");
        let error = Mutex::create(&segment, None, false).expect_err("it is gone");
        assert_eq!(error.status(), Status::InvalidArgument);
        assert!(error.text().contains("open it again"), "{error}");
        stage.tell("told");
    });
    drop(array);
    child.tell("closed");
    child.says("told");
    child.ends_well();
    assert_eq!(account(&segment), before);
}

pub(crate) fn a_hundred_thousand_rounds_leave_memory_flat() {
    let segment = found();
    make_pages_of_holds(&segment);
    let before = account(&segment);
    let committed = || segment.info().expect("readable").committed;
    let round = |number: u64| {
        let size = 1 + number % 4000;
        let array = Array::<u8>::create(&segment, None, &[size]).expect("room");
        drop(Mutex::create(&segment, None, false).expect("room"));
        drop(array);
    };
    (0..4000).for_each(round);
    let at_first = committed();
    (0..50_000).for_each(round);
    assert_eq!((committed(), account(&segment)), (at_first, before));
}

/// Creates and closes, with names and without, exports and imports, until it is killed.
fn churns(_: Stage) {
    let segment = open();
    let mut own = Vec::new();
    for number in 0u64.. {
        own.push(marked(&segment, number as u8));
        drop(Array::<u64>::create(&segment, None, &[number % 700]).expect("room"));
        let name = format!("n{}", number % 7);
        match Value::<u64>::open_or_create(&segment, &name) {
            Ok(value) => value.store(number).expect("stored"),
            Err(error) => panic!("{error}"),
        }
        let removed = status(atoll::RawValue::remove(&segment, &name));
        assert!([Status::Ok, Status::NotFound].contains(&removed), "{removed:?}");
        let ticket = own[own.len() / 2].export().expect("room");
        drop(RawArray::import(&ticket).expect("ours"));
        if own.len() > 30 {
            own.drain(..20);
        }
    }
}

pub(crate) fn killed_in_the_middle_of_it_nothing_is_lost() {
    const SPAN: Duration = Duration::from_secs(4);
    let segment = found();
    make_pages_of_holds(&segment);
    let before = account(&segment);
    let start = Instant::now();
    let mut crowd: Vec<Child> = (0..6).map(|_| Child::spawn(churns)).collect();
    let mut kills = 0;
    while start.elapsed() < SPAN {
        thread::sleep(Duration::from_millis(7 + kills % 11));
        let next = (kills % 6) as usize;
        assert_eq!(crowd[next].poll(), None, "nothing but a kill ends it");
        crowd[next] = Child::spawn(churns);
        kills += 1;
        if kills.is_multiple_of(10) {
            segment.verify().expect("sound at every moment");
        }
    }
    drop(crowd);
    // Names stay, and nothing else: some were not removed when their maker was killed.
    for number in 0..7 {
        let removed = status(atoll::RawValue::remove(&segment, &format!("n{number}")));
        assert!([Status::Ok, Status::NotFound].contains(&removed), "{removed:?}");
    }
    assert_eq!(account(&segment), before, "after {kills} kills");
}
