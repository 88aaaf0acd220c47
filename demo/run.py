"""Four processes in three languages count one text together, and are killed while they do.

    make demo [INPUT=path] [KILLS=20]

README.md says what this shows. This file is the coordinator: it lays the text into shared memory,
starts the workers, kills them one after the other inside the critical section, and in the end
compares their totals with a count of its own. Lines read `milliseconds who what`.
"""

import argparse
import os
import random
import signal
import statistics
import sys
import time
from contextlib import contextmanager, suppress

import atoll

import alone
import workers
from corpus import Corpus, Unusable
from layout import BYTES, CELLS, MERGING, NOBODY, TODO, Layout, Takeover, Trap

CHUNK = 16 << 10  # bytes at most
BETWEEN_KILLS = 32  # chunks at least; of a short text many are empty
GATHER = 0.02  # seconds in which the others come to wait for the lock
WATCHDOG = 120  # seconds without progress; only a demo that hangs ever meets it


class Failed(Exception):
    """The demo did not show what it is to show."""


class Timeline:
    def __init__(self):
        self._start = time.monotonic()

    def say(self, who, what):
        print(f"{(time.monotonic() - self._start) * 1000:7.0f} {who:<8}  {what}", flush=True)


class Progress:
    """Says so whenever another fifth of something is done."""

    def __init__(self, timeline, whole, what):
        self._timeline, self._whole, self._what = timeline, whole, what
        self._fifths = 0

    def __call__(self, done):
        fifths = 5 * done // self._whole
        if fifths > self._fifths:
            self._fifths = fifths
            self._timeline.say("demo", f"{20 * fifths} % {self._what}")


class Demo:
    def __init__(self, timeline, segment, shared, team):
        self.say = timeline.say
        self.segment = segment
        self.shared = shared
        self.team = team
        self.recoveries = []  # in microseconds
        self._progress = Progress(timeline, len(shared.chunks), "of the chunks are merged")

    def run(self, kills):
        traps = iter(self.plan(kills))
        self.shared.trap.value = trap = next(traps)
        for worker in self.team:
            worker.start(self.segment.name)
            self.say("demo", f"started {worker.name} as process {worker.pid}")
        while trap.worker != NOBODY:
            victim = self.team[trap.worker - 1]
            self.wait_until(victim.stopped, f"{victim.name} to stop")
            # The next trap lets the others go on, to the lock and no further.
            self.shared.trap.value = trap = next(traps)
            self.kill(victim)
            self.look_after_workers()
        self.wait_until(self.finished, "the end")

    def plan(self, kills):
        """Traps for each worker in turn, evenly over the text. The victim works on for a random
        while after the others begin to wait for it, but leaves enough for the kills to come."""
        share = len(self.shared.chunks) // (kills + 1)
        longest = CELLS * (1 + share // 4)
        for kill in range(kills):
            victim = self.team[kill % len(self.team)]
            ticket = (kill + 1) * len(self.shared.chunks) // (kills + 1)
            yield Trap(ticket, victim.number, random.randint(0, longest))
        yield Trap(worker=NOBODY)

    def kill(self, victim):
        """Kills a worker that stands still with the lock in its hand, and sees who goes on."""
        owner = self.shared.lock.owner()
        torn = bytes(self.shared.chunks.view()).find(MERGING)
        if owner is None or owner.pid != victim.pid or torn < 0:
            raise Failed(f"{victim.name} stands still, but not inside the critical section")
        self.say(victim.name, f"stops inside the critical section, chunk {torn} half merged")
        self.shared.takeover.value = Takeover(chunk=torn, worker=NOBODY)
        time.sleep(GATHER)
        sent_ns = time.monotonic_ns()
        victim.kill()
        self.say("demo", f"kills process {owner.pid}, which the mutex names as its owner")

        self.wait_until(lambda: self.shared.takeover.value.worker != NOBODY, "the next owner")
        news = self.shared.takeover.value
        heir = self.team[news.worker - 1]
        if news.found == MERGING:
            raise Failed(f"{heir.name} found chunk {torn} half merged")
        micros = (news.at_ns - sent_ns) // 1000
        if micros < 0:
            self.say(heir.name, "took over before: somebody else was faster to kill")
        else:
            self.recoveries.append(micros)
            self.say(heir.name, f"takes over {micros} µs after the kill; chunk {torn} is as before")

    def wait_until(self, condition, what):
        """Sleeps until it is so, and looks after the workers meanwhile."""
        seen, latest = None, 0
        while True:
            time.sleep(0.001)
            if condition():
                return
            self.look_after_workers()
            states = bytes(self.shared.chunks.view())
            if states != seen:
                seen, latest = states, time.monotonic() + WATCHDOG
            elif time.monotonic() > latest:
                raise Failed(f"waited {WATCHDOG} seconds for {what}, and nothing moved")

    def look_after_workers(self):
        left = self.chunks_left()
        for worker in self.team:
            ended = worker.ended()
            if ended == -signal.SIGKILL and left:  # by us, or by you: try it
                worker.start(self.segment.name)
                self.say("demo", f"started {worker.name} again as process {worker.pid}")
            elif ended not in (None, 0, -signal.SIGKILL):
                raise Failed(f"{worker.name} ended with status {ended}")
        self._progress(len(self.shared.chunks) - left)

    def chunks_left(self):
        states = bytes(self.shared.chunks.view())
        return states.count(TODO) + states.count(MERGING)

    def finished(self):
        return not self.chunks_left() and all(worker.ended() is not None for worker in self.team)

    def report(self):
        merged = bytes(self.shared.chunks.view())
        by = ", ".join(f"{worker.name} {merged.count(worker.number)}" for worker in self.team)
        self.say("demo", f"all chunks are merged: {by}")
        if self.recoveries:
            times = sorted(self.recoveries)
            self.say(
                "demo",
                f"{len(times)} owners killed; the next one took over after {times[0]} to "
                f"{times[-1]} µs, median {statistics.median_low(times)} µs",
            )


def compare(timeline, shared):
    """Whether the totals are those that one process counts alone."""
    text, counted = shared.corpus.view(), list(shared.counts.view())
    timeline.say("demo", "counts alone, by other means, to compare")
    expected = alone.count(text, Progress(timeline, len(text), "is counted alone"))
    for name, cells in (("bytes", slice(0, BYTES)), ("words", slice(BYTES, CELLS))):
        together, by_one = sum(counted[cells]), sum(expected[cells])
        timeline.say("demo", f"{name}: {together:,} counted together, {by_one:,} alone")
    differ = sum(one != other for one, other in zip(counted, expected))
    if differ:
        timeline.say("demo", f"{differ} of {CELLS} totals differ")
    return not differ


@contextmanager
def segment_for(corpus, kills):
    """A segment with room for the corpus. Its name goes at the end, whatever happens."""
    name = f"atoll-demo-{os.getpid()}"
    chunks = max(-(-corpus.size // CHUNK), BETWEEN_KILLS * (kills + 1))
    size = corpus.size + chunks + (1 << 20)
    try:
        with atoll.Segment(name, create=True, size=size) as segment:
            yield segment, Layout(segment, corpus.size, chunks)
    except atoll.NoSpace as problem:
        raise Unusable(f"{corpus.where} with {corpus.size:,} bytes: {problem}") from None
    finally:
        with suppress(atoll.NotFound):
            atoll.unlink(name)


def demonstrate(options):
    timeline = Timeline()
    corpus = Corpus(options.input)
    with segment_for(corpus, options.kills) as (segment, shared):
        about = f"{corpus.size:,} bytes in {len(corpus.files):,} file(s)"
        timeline.say("demo", f"reads {corpus.where}, {about}, into segment {segment.name}")
        corpus.read_into(shared.corpus.view(), Progress(timeline, corpus.size, "is read"))
        team = workers.all_of(options.workers)
        demo = Demo(timeline, segment, shared, team)
        try:
            demo.run(options.kills)
        finally:
            for worker in team:
                worker.end()
        demo.report()
        segment.verify()
        return compare(timeline, shared)


def arguments():
    parser = argparse.ArgumentParser(description="Count a text in three languages under kill -9.")
    parser.add_argument("input", nargs="?", help="a file or folder; else Python's own sources")
    parser.add_argument("--kills", type=how_many, default=20, help="20 unless you say otherwise")
    parser.add_argument("--workers", required=True, help="the folder of the compiled workers")
    return parser.parse_args()


def how_many(text):
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"it is a number from 0 on, not {text!r}")
    return int(text)


def interrupt(signum, frame):
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
    try:
        equal = demonstrate(arguments())
        print("totals equal:", "yes" if equal else "no", flush=True)
    except KeyboardInterrupt:
        sys.exit("demo: interrupted; nothing is left behind")
    except BrokenPipeError:  # `make demo | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Unusable, Failed, atoll.AtollError) as problem:
        sys.exit(f"demo: {problem}")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
