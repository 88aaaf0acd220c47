//! Those who wait at rings, the same for every kind: woken, late, or told that an end is closed.
//! At lanes nobody waits beside a victim for what it waits for: there is one of each. Nor for room
//! for messages: as many are woken as there are cells, and the other one may be faster.

use crate::abi::{CLOSED, EMPTY, FOREVER, OK, TIMED_OUT};
use crate::gates::PATIENCE_NS;
use crate::nouns::Object;
use crate::outcomes::is;
use crate::ring_kinds::{CAPACITY, Calls, Fanin, Mpmc, Pairs, Spsc};
use crate::ring_waits::{as_many_as_put, statuses_are, wake_the_rest};
use crate::rings::fill;
use crate::sleepers::{Cast, ROLE, Role};
use crate::vigils::{Fate, VIGIL, Vigil, ask, helper};
use crate::world::ok;

/// Those who wait at a ring of a kind.
struct Roles<C>(C);

impl<C: Calls> Roles<C> {
    const GETTER: Role = Role { wait: |ring, _| C::get(ring.handle, &mut 0, FOREVER), ..ROLE };
    const PUTTER: Role = Role { wait: |ring, _| C::put(ring.handle, 9, FOREVER), ..ROLE };
    /// The same in a ring that it has filled itself.
    const FILLER: Role = Role { before: fill_up::<C>, ..Self::PUTTER };
}

/// The scenes of one kind. `$behind_getter` and `$behind_putter` come after a victim that waits.
macro_rules! sides {
    ($kind:ident, $name:literal, [$($behind_getter:expr)?], [$($behind_putter:expr)?]) => {
        &[
            Vigil {
                name: concat!($name, "_push_sleeper"),
                noun: $kind::NOUN,
                sleepers: &[&Roles::<$kind>::GETTER],
                call: |ring| $kind::push(ring.handle, 1),
                judge: |cast, fate| as_many_as_put::<$kind>(cast, fate, 1),
                ..VIGIL
            },
            Vigil {
                name: concat!($name, "_pop_sleeper"),
                noun: $kind::NOUN,
                sleepers: &[&Roles::<$kind>::FILLER],
                call: |ring| $kind::pop(ring.handle, &mut 0),
                judge: |cast, _| all_is_there::<$kind>(cast, CAPACITY),
                ..VIGIL
            },
            Vigil {
                name: concat!($name, "_get_sleeps"),
                noun: $kind::NOUN,
                call: |ring| $kind::get(ring.handle, &mut 0, FOREVER),
                waker: Some(|cast| helper(cast, |ring| ok("push", $kind::push(ring.handle, 1)))),
                judge: got_or_there::<$kind>,
                ..VIGIL
            },
            Vigil {
                name: concat!($name, "_put_sleeps"),
                noun: $kind::NOUN,
                before: fill_up::<$kind>,
                call: |ring| $kind::put(ring.handle, 8, FOREVER),
                sleepers: &[$($behind_putter)?],
                waker: Some(|cast| helper(cast, |ring| ok("pop", $kind::pop(ring.handle, &mut 0)))),
                judge: |cast, fate| {
                    let behind = cast.asleep() + cast.staying();
                    let put = u64::from(fate.returned) + behind as u64;
                    all_is_there::<$kind>(cast, CAPACITY - 1 + put)
                },
                ..VIGIL
            },
            Vigil {
                name: concat!($name, "_get_late"),
                noun: $kind::NOUN,
                call: |ring| $kind::get(ring.handle, &mut 0, PATIENCE_NS),
                status: TIMED_OUT,
                sleepers: &[$($behind_getter)?],
                waker: Some(|_| Ok(())),
                judge: goes_on_without::<$kind>,
                ..VIGIL
            },
            Vigil {
                name: concat!($name, "_put_late"),
                noun: $kind::NOUN,
                before: fill_up::<$kind>,
                call: |ring| $kind::put(ring.handle, 8, PATIENCE_NS),
                status: TIMED_OUT,
                sleepers: &[$($behind_putter)?],
                waker: Some(|_| Ok(())),
                judge: |cast, _| {
                    let behind = cast.asleep() as u64;
                    all_is_there::<$kind>(cast, CAPACITY + behind)
                },
                ..VIGIL
            },
            Vigil {
                name: concat!($name, "_shutdown_getter"),
                noun: $kind::NOUN,
                sleepers: &[&Roles::<$kind>::GETTER],
                call: |ring| $kind::shutdown(ring.handle),
                judge: all_learn_of_it::<$kind>,
                ..VIGIL
            },
            Vigil {
                name: concat!($name, "_shutdown_putter"),
                noun: $kind::NOUN,
                sleepers: &[&Roles::<$kind>::FILLER],
                call: |ring| $kind::shutdown(ring.handle),
                judge: all_learn_of_it::<$kind>,
                ..VIGIL
            },
        ]
    };
}

pub(crate) const OF_SPSC: &[Vigil] = sides!(Spsc, "spsc", [], []);
pub(crate) const OF_FANIN: &[Vigil] = sides!(Fanin, "fanin", [], []);
pub(crate) const OF_MPMC: &[Vigil] =
    sides!(Mpmc, "mpmc", [&Roles::<Mpmc>::GETTER], [&Roles::<Mpmc>::PUTTER]);
pub(crate) const OF_MESSAGES: &[Vigil] = sides!(Pairs, "message", [&Roles::<Pairs>::GETTER], []);

fn fill_up<C: Calls>(ring: &Object) -> Result<(), String> {
    fill::<C>(ring, 0, CAPACITY) // without getting anything, which makes a consumer
}

/// At a ring that was full: each record that goes lets one put who sleeps, until nobody does. So
/// many are got then, or one more, which the victim has put or not got.
fn all_is_there<C: Calls>(cast: &mut Cast, least: u64) -> Result<(), String> {
    statuses_are(cast, OK)?;
    let mut seen = 0;
    let popped = |ring: &Object| Ok(C::pop(ring.handle, &mut 0) as u32);
    while ask(cast, popped)? as i32 == OK {
        seen += 1;
        cast.settles()?;
    }
    is("asleep in the end", cast.asleep(), 0)?;
    statuses_are(cast, OK)?;
    if !(least..=least + 1).contains(&seen) {
        return Err(format!("{seen} records were there, not {least} or one more"));
    }
    cast.awake_leave().map(drop)
}

/// One was put: the victim got it, or it is there.
fn got_or_there<C: Calls>(cast: &mut Cast, fate: Fate) -> Result<(), String> {
    let left = ask(cast, |ring| Ok(C::pop(ring.handle, &mut 0) as u32))? as i32;
    match (left, fate.returned, fate.slept) {
        (EMPTY, _, true) | (EMPTY, true, _) | (OK, false, _) => wake_the_rest::<C>(cast),
        _ => Err(format!("status of a pop where one was put: {left}")),
    }
}

/// The victim waits no longer: what is put is for others.
fn goes_on_without<C: Calls>(cast: &mut Cast, _: Fate) -> Result<(), String> {
    wake_the_rest::<C>(cast)?;
    helper(cast, |ring| {
        ok("push", C::push(ring.handle, 5))?;
        ok("pop", C::pop(ring.handle, &mut 0))
    })
}

/// Who sleeps at a ring hears that an end of it is closed, at the latest from who closes it again.
pub(crate) fn all_learn_of_it<C: Calls>(cast: &mut Cast, fate: Fate) -> Result<(), String> {
    if !fate.returned {
        helper(cast, |ring| ok("shutdown", C::shutdown(ring.handle)))?;
        cast.settles()?;
    }
    is("asleep in the end", cast.asleep(), 0)?;
    statuses_are(cast, CLOSED)?;
    cast.awake_leave().map(drop)
}
