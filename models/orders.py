"""The orders of memory that the models leave out: pairs of stores and loads, checked by the axioms of C++ and Rust.

spin's machine is sequentially consistent. Where two sides store something each and then look at what the other stored, or where one
hands something on, that is more than a processor promises, and the orderings at the accesses have to do it. Here is every such pair
of events to barriers, of who waits for many or listens, and of rings, as a small program, with the outcome that must not be; all its executions are enumerated by the axioms of RC11
(Lahav and others, "Repairing sequential consistency in C/C++11", 2017; C++20 and Rust follow it). Each edge also has a weakened form,
in which the outcome must be possible: else the ordering would be for nothing, or this program blind.

An access is (kind, place, ordering, value): kind W, R, U (an exchange that succeeds), F (a fence); for U the value is (read, written).
What the kernel compares in futex_waitv() is a relaxed load behind a full fence. Not here: edges on which a load is followed by a store
of the other side (READ of the reader-writer lock), as these axioms forbid what they would have to show.
"""
import itertools

RLX, ACQ, REL, AR, SC = "relaxed", "acquire", "release", "acq_rel", "seq_cst"


def W(place, mode, value): return ("W", place, mode, value)
def R(place, mode, value): return ("R", place, mode, value)
def U(place, mode, read, written): return ("U", place, mode, (read, written))
def F(mode): return ("F", None, mode, None)


KERNEL_SEES = lambda place, value: [F(SC), R(place, RLX, value)]

# name, weak ordering to put in place of None in the second form, threads. Every place begins as 0; the outcome is the values.
EDGES = [
    ("READING: a reader's mark, a writer's word", ACQ, lambda m: [
        [U("mark", SC, 0, 1), R("word", m, 0)],
        [U("word", ACQ, 0, 1), F(SC), R("mark", SC, 0)]]),
    ("READING: high, raised by somebody before", RLX, lambda m: [
        [U("high", SC, 0, 1)],
        [R("high", m, 1), U("mark", SC, 0, 1), R("word", SC, 0)],
        [U("word", ACQ, 0, 1), F(SC), R("high", m, 0)]]),
    ("LEAVING: a waiter's state, ctl", ACQ, lambda m: [
        [U("state", SC, 0, 1), R("ctl", SC, 0)],
        [U("ctl", SC, 0, 1), R("state", m, 0)]]),
    ("POSTED: a node and READY, ctl", ACQ, lambda m: [
        [W("state", REL, 1), U("state", SC, 1, 2), R("ctl", SC, 0)],
        [U("ctl", SC, 0, 1), R("state", m, 0)]]),
    ("WAITING: WAITERS, a permit", ACQ, lambda m: [
        [U("word", SC, 0, 1), R("permit", m, 0)],
        [U("permit", SC, 0, 1), R("word", SC, 0)]]),
    ("WAITING: debtor and count", RLX, lambda m: [
        [W("debtor", SC if m == SC else RLX, 1), U("word", m, 0, 1)],
        [R("word", SC, 1), R("debtor", SC, 0)]]),
    ("slept, ctl", ACQ, lambda m: [
        [U("slept", SC, 0, 1)] + KERNEL_SEES("ctl", 0),
        [U("ctl", SC, 0, 1), R("slept", m, 0)]]),
    ("slept, announced by somebody else", ACQ, lambda m: [
        [U("slept", SC, 0, 1)],
        [R("slept", SC, 1)] + KERNEL_SEES("ctl", 0),
        [U("ctl", SC, 0, 1), R("slept", m, 0)]]),
    ("SIGNALLED and PERMITTED, behind a flag", RLX, lambda m: [
        [W("data", RLX, 1), U("word", RLX if m == RLX else REL, 0, 1)],
        [U("word", RLX, 1, 3)],
        [R("word", ACQ, 3), R("data", RLX, 0)]]),
    ("POSTED: a node is read between two loads", RLX, lambda m: [
        [W("state", RLX, 1), W("ticket", RLX if m == RLX else REL, 5)],
        [R("ticket", ACQ, 5), R("state", SC, 0)]]),
    ("CROWDED: who joins, a permit", AR, lambda m: [
        [U("crowd", SC, 0, 1)] + KERNEL_SEES("word", 0),
        [U("word", REL, 0, 1), F(m), R("crowd", RLX, 0)]]),
    ("CROWDED: joined by somebody before", AR, lambda m: [
        [U("crowd", SC, 0, 1)],
        [R("crowd", SC, 1)] + KERNEL_SEES("word", 0),
        [U("word", REL, 0, 1), F(m), R("crowd", RLX, 0)]]),
    ("LISTENING: a name that is gone, LISTENED", RLX, lambda m: [
        [W("gone", RLX, 1), U("word", RLX if m == RLX else REL, 0, 1)],
        [R("word", ACQ, 1), R("gone", RLX, 0)]]),
    ("LISTENING: listened, ctl", RLX, lambda m: [
        [W("listened", m, 1), U("ctl", m, 0, 1)],
        [R("ctl", SC, 1), R("listened", SC, 0)]]),
    ("SAID: a claim of a ring, WAITERS", ACQ, lambda m: [
        [U("tail", SC, 0, 1), R("word", m, 0)],
        [U("word", SC, 0, 1), R("tail", SC, 0)]]),
    ("SAID: WAITERS set by somebody before", ACQ, lambda m: [
        [U("tail", SC, 0, 1), R("word", m, 0)],
        [U("word", SC, 0, 1)],
        [R("word", SC, 1), R("tail", SC, 0)]]),
    ("SAID: what a lane says, WAITERS", AR, lambda m: [
        [W("pushing", REL, 1), F(m), R("word", SC, 0)],
        [U("word", SC, 0, 1), F(SC), R("pushing", ACQ, 0)]]),
    ("ANNOUNCED: before the claim of a slot", RLX, lambda m: [
        [W("claim", REL, 1), U("tail", RLX if m == RLX else AR, 0, 1)],
        [R("tail", ACQ, 1), R("claim", ACQ, 0)]]),
    ("ANNOUNCED: seen to have gone on", RLX, lambda m: [
        [W("claim", REL, 1), W("slot", REL, 1), W("claim", RLX if m == RLX else REL, 2)],
        [R("claim", ACQ, 2), U("slot", AR, 0, 9)]]),
]


def closure(edges):
    edges = set(edges)
    while True:
        more = {(a, d) for a, b in edges for c, d in edges if b == c} - edges
        if not more:
            return edges
        edges |= more


def then(one, other): return {(a, d) for a, b in one for c, d in other if b == c}
def acyclic(edges): return all(a != b for a, b in closure(edges))


def is_possible(threads):
    """Whether some execution has these values."""
    events, sb = [], set()
    for t, thread in enumerate(threads):
        mine = range(len(events), len(events) + len(thread))
        events += thread
        sb |= set(itertools.combinations(mine, 2))
    places = sorted({e[1] for e in events if e[1]})
    first = len(events)
    events += [("W", place, RLX, 0) for place in places]              # what every place begins as
    sb |= {(i, e) for i in range(first, len(events)) for e in range(first)}
    everything = range(len(events))
    reads = [i for i in everything if events[i][0] in "RU"]
    writes = {p: [i for i in everything if events[i][0] in "WU" and events[i][1] == p] for p in places}

    def read_by(i): return events[i][3][0] if events[i][0] == "U" else events[i][3]
    def written_by(i): return events[i][3][1] if events[i][0] == "U" else events[i][3]

    sources = [[w for w in writes[events[r][1]] if w != r and written_by(w) == read_by(r)] for r in reads]
    orders = [[(i,) + rest for i in writes[p] if i >= first for rest in itertools.permutations([w for w in writes[p] if w < first])]
              for p in places]
    return any(is_consistent(events, sb, {(w, r) for w, r in zip(chosen, reads)}, order)
               for chosen in itertools.product(*sources) for order in itertools.product(*orders))


def is_consistent(events, sb, rf, order):
    everything = range(len(events))
    mo = {pair for line in order for pair in itertools.combinations(line, 2)}
    rb = {(r, w) for s, r in rf for o, w in mo if s == o and r != w}
    if any(events[r][0] == "U" and any((s, w) in mo and (w, r) in mo for w in everything) for s, r in rf):
        return False                                                   # an exchange reads what stood just before it
    eco = closure(rf | mo | rb)
    at = lambda *modes: {(i, i) for i in everything if events[i][2] in modes}
    fences = {(i, i) for i in everything if events[i][0] == "F"}
    same = {(i, i) for i in everything}
    stores = {(i, i) for i in everything if events[i][0] in "WU"}
    loads = {(i, i) for i in everything if events[i][0] in "RU"}
    handed_on = same | closure({(a, b) for a, b in rf if events[b][0] == "U"})
    near = {(a, b) for a, b in sb if events[a][1] is not None and events[a][1] == events[b][1]}
    release = then(then(at(REL, AR, SC), same | then(fences, sb)), then(then(stores, same | near), then(stores, handed_on)))
    acquire = then(then(loads, same | then(sb, fences)), at(ACQ, AR, SC))
    hb = closure(sb | then(then(release, rf), acquire))
    if any(a == b for a, b in hb) or any(a == b for a, b in then(hb, eco)):
        return False
    if not acyclic(sb | rf):
        return False                                                   # out of thin air
    far = {(a, b) for a, b in sb if (a, b) not in near}
    local = {(a, b) for a, b in hb if events[a][1] is not None and events[a][1] == events[b][1]}
    scb = sb | then(then(far, hb), far) | local | mo | rb
    sc, sc_fences = at(SC), then(at(SC), fences)
    hb0 = hb | same
    psc = then(then(sc | then(sc_fences, hb0), scb), sc | then(hb0, sc_fences))
    psc |= then(then(sc_fences, hb | then(then(hb, eco), hb)), sc_fences)
    return acyclic(psc)


def check():
    """Yields (name, whether it is forbidden as it stands, and possible if one ordering is weaker)."""
    for name, weak, program in EDGES:
        yield name, not is_possible(program(SC)), is_possible(program(weak))


if __name__ == "__main__":
    for name, holds, caught in check():
        print(f"{name:45} {'cannot be' if holds else 'POSSIBLE'}; weakened: {'can be' if caught else 'CANNOT BE'}")
