//! Handles under threads that use and close them.

use std::sync::mpsc::{Sender, channel};
use std::thread::{scope, spawn};
use std::time::{Duration, Instant};

use super::*;
use crate::platform::atomic::AtomicBool;
use crate::roster::thread::enter;

const ALIVE: u64 = 0x600d_600d_600d_600d;
const DEAD: u64 = 0xdead_dead_dead_dead;

/// Shows for a while whether it was dropped, and tells somebody when it is.
struct Canary {
    state: AtomicU64,
    dropped: Option<Sender<()>>,
}

impl Canary {
    fn new(dropped: Option<Sender<()>>) -> Self {
        Self { state: AtomicU64::new(ALIVE), dropped }
    }

    fn is_alive(&self) -> bool {
        self.state.load(Relaxed) == ALIVE
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        self.state.store(DEAD, Relaxed);
        self.dropped.take().map(|news| news.send(()));
    }
}

struct Cage;

impl Handle for Cage {
    type Object = Canary;
    const KIND: Kind = Kind::Array;
}

struct Number;

impl Handle for Number {
    type Object = u64;
    const KIND: Kind = Kind::Value;
}

fn open<H: Handle>(object: H::Object) -> *mut H {
    Vacancy::take().unwrap().fill(object)
}

fn why<T>(refused: Result<T>) -> String {
    let error = refused.err().expect("this is no handle");
    assert_eq!(error.status(), Status::InvalidArgument);
    error.text().to_owned()
}

#[test]
fn a_handle_leads_to_its_object_until_it_is_closed() {
    let handle = open::<Number>(7);
    let call = enter().unwrap();
    assert_eq!(*find(&call, handle).unwrap(), 7);
    close(&call, handle).unwrap();
    assert!(why(find(&call, handle)).starts_with("value is a handle that was closed"));
    assert!(why(close(&call, handle)).starts_with("value is a handle that was closed"));
}

#[test]
fn no_number_is_taken_for_a_handle_or_followed() {
    let call = enter().unwrap();
    assert!(why(find::<Number>(&call, null_mut())).starts_with("value is NULL"));
    assert!(close::<Number>(&call, null_mut()).is_ok(), "close(NULL) is allowed");
    let local = 7;
    let strange = [1, MOST, MOST + 1, usize::MAX, 1 << 63, 1 << 32, &raw const local as usize];
    for number in strange.into_iter().chain((0..61).map(|bit| 5 << bit)) {
        let handle = without_provenance_mut::<Number>(number);
        assert!(why(find(&call, handle)).starts_with("value is no handle"), "{number:x}");
        assert!(why(close(&call, handle)).starts_with("value is no handle"), "{number:x}");
    }
}

#[test]
fn a_handle_of_another_kind_is_refused_and_named() {
    let handle = open::<Number>(7);
    let call = enter().unwrap();
    let text = why(find(&call, handle.cast::<Cage>()));
    assert!(text.starts_with("array is the handle of another kind of thing (value)"), "{text}");
    why(close(&call, handle.cast::<Cage>()));
    assert_eq!(*find(&call, handle).unwrap(), 7, "the wrong close closed nothing");
    close(&call, handle).unwrap();
}

#[test]
fn a_slot_that_is_used_again_has_another_generation() {
    let call = enter().unwrap();
    let mut before: Vec<*mut Number> = Vec::new();
    for number in 0..100 {
        let handle = open::<Number>(number);
        assert!(!before.contains(&handle));
        assert!(handle.addr() > isize::MAX as usize, "an address of a program");
        close(&call, handle).unwrap();
        before.push(handle);
    }
    before.into_iter().for_each(|old| drop(why(find(&call, old))));
}

#[test]
fn a_slot_whose_generations_are_used_up_is_not_used_again() {
    let vacancy = Vacancy::take().unwrap();
    let index = vacancy.index;
    SLOTS[index].tag.store(GENERATION, Relaxed);
    let last: *mut Number = vacancy.fill(7);
    assert_eq!(last.addr() as u64 & GENERATION, GENERATION);
    let call = enter().unwrap();
    close(&call, last).unwrap();
    let taken: Vec<Vacancy> = (0..100).map(|_| Vacancy::take().unwrap()).collect();
    assert!(taken.iter().all(|vacancy| vacancy.index != index));
    why(find(&call, last));
}

#[test]
fn a_vacancy_that_is_not_filled_is_given_back() {
    let used = || USED.load(Relaxed);
    let before = used();
    for _ in 0..1000 {
        drop(Vacancy::take().unwrap());
    }
    assert!(used() - before < 100, "slots leak"); // other tests take some, too
}

#[test]
fn an_object_outlives_the_calls_that_found_it() {
    let (news, dropped) = channel();
    let cage: usize = open::<Cage>(Canary::new(Some(news))).addr();
    let (found_it, found) = channel();
    let (leave, may_leave) = channel();
    let user = spawn(move || {
        let call = enter().unwrap();
        let canary = find(&call, without_provenance_mut::<Cage>(cage)).unwrap();
        found_it.send(()).unwrap();
        may_leave.recv().unwrap();
        assert!(canary.is_alive());
    });
    found.recv().unwrap();
    close(&enter().unwrap(), without_provenance_mut::<Cage>(cage)).unwrap();
    close(&enter().unwrap(), open::<Number>(0)).unwrap();
    assert!(dropped.try_recv().is_err(), "freed under a call");
    leave.send(()).unwrap();
    user.join().unwrap();
    // Whoever closes something next frees it; or another test is just doing so.
    let freed = (0..10_000).any(|_| {
        close(&enter().unwrap(), open::<Number>(0)).unwrap();
        dropped.recv_timeout(Duration::from_millis(1)).is_ok()
    });
    assert!(freed, "never freed");
}

#[test]
fn users_and_closers_at_once_never_meet_a_dead_object() {
    const SHARED: usize = 4;
    let handles: [AtomicU64; SHARED] = Default::default();
    const ENOUGH: usize = 100;
    let begin = Instant::now();
    // At least for a while; on a busy machine for longer.
    let goes_on = |found: usize| {
        let span = begin.elapsed();
        span < Duration::from_millis(500) || found < ENOUGH && span < Duration::from_secs(60)
    };
    let is_over = AtomicBool::new(false);
    let renew = |cell: &AtomicU64| {
        let fresh = open::<Cage>(Canary::new(None)).addr() as u64;
        let old = without_provenance_mut::<Cage>(cell.swap(fresh, AcqRel) as usize);
        close(&enter().unwrap(), old).unwrap();
    };
    let look = |cell: &AtomicU64| {
        let handle = without_provenance_mut::<Cage>(cell.load(Acquire) as usize);
        let call = enter().unwrap();
        let Ok(canary) = find(&call, handle) else {
            return false;
        };
        (0..50).for_each(|_| assert!(canary.is_alive()));
        true
    };
    let found: usize = scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                while !is_over.load(Acquire) {
                    handles.iter().for_each(renew)
                }
            });
        }
        let user = || {
            let mut found = 0;
            while goes_on(found) {
                found += handles.iter().filter(|cell| look(cell)).count();
            }
            found
        };
        let users = [threads.spawn(user), threads.spawn(user)];
        let found = users.map(|user| user.join());
        is_over.store(true, Release);
        found.map(|found| found.unwrap()).iter().sum()
    });
    assert!(found >= 2 * ENOUGH, "the users hardly ever found an object");
    handles.iter().for_each(renew);
}

#[test]
fn of_many_who_close_a_handle_one_does() {
    for _ in 0..200 {
        let handle = open::<Cage>(Canary::new(None)).addr();
        let closed: usize = scope(|threads| {
            let close =
                || close(&enter().unwrap(), without_provenance_mut::<Cage>(handle)).is_ok().into();
            let all: [_; 3] = core::array::from_fn(|_| threads.spawn(close));
            all.map(|thread| thread.join().unwrap()).iter().sum::<usize>()
        });
        assert_eq!(closed, 1);
    }
}
