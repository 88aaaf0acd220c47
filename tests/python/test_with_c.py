"""A program in C and one in Python wait for each other, by every kind of object, and send each
other records."""

import asyncio
import ctypes
import functools
import os
import shutil
import subprocess
import time
from pathlib import Path

import atoll
import pytest

INCLUDE = Path(atoll.__file__).parents[2] / "include"

HEAD = r"""
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <atoll.h>

static void must(atoll_status status, int line) {
    atoll_error error;
    if (status == ATOLL_OK) return;
    atoll_last_error(&error);
    printf("line %d: %s: %s\n", line, atoll_status_name(status), error.text);
    exit(1);
}
#define MUST(call) must(call, __LINE__)
"""

ALL_KINDS = r"""
int main(int count, char **names) {
    atoll_mutex_options recursive = ATOLL_MUTEX_OPTIONS_INIT;
    atoll_segment *segment;
    atoll_event *event;
    atoll_latch *latch;
    atoll_semaphore *semaphore;
    atoll_rwlock *rwlock;
    atoll_condvar *condvar;
    atoll_mutex *mutex;
    atoll_barrier *barrier;
    if (count != 2) return 2;
    recursive.recursive = 1;
    MUST(atoll_segment_open(names[1], NULL, &segment));
    MUST(atoll_event_open(segment, "event", &event));
    MUST(atoll_latch_open(segment, "latch", &latch));
    MUST(atoll_semaphore_open(segment, "semaphore", NULL, &semaphore));
    MUST(atoll_rwlock_open(segment, "rwlock", &rwlock));
    MUST(atoll_condvar_open(segment, "condition", &condvar));
    MUST(atoll_mutex_open(segment, "condition.lock", &recursive, &mutex));
    MUST(atoll_barrier_open(segment, "barrier", &barrier));

    MUST(atoll_barrier_arrive_and_wait(barrier, ATOLL_FOREVER, NULL));
    MUST(atoll_event_wait(event, ATOLL_FOREVER));
    MUST(atoll_event_clear(event));
    MUST(atoll_latch_count_down(latch, 1));
    MUST(atoll_semaphore_acquire(semaphore, ATOLL_FOREVER));
    MUST(atoll_rwlock_write_lock(rwlock, ATOLL_FOREVER));
    MUST(atoll_semaphore_release(semaphore, 2));
    MUST(atoll_rwlock_write_unlock(rwlock));
    MUST(atoll_mutex_lock(mutex, ATOLL_FOREVER));
    MUST(atoll_mutex_lock(mutex, ATOLL_FOREVER));
    MUST(atoll_condvar_wait(condvar, mutex, ATOLL_FOREVER));
    MUST(atoll_condvar_notify_one(condvar));
    MUST(atoll_mutex_unlock(mutex));
    MUST(atoll_mutex_unlock(mutex));
    MUST(atoll_rwlock_read_lock(rwlock, ATOLL_FOREVER));
    MUST(atoll_barrier_arrive(barrier, false, NULL));
    puts("inside");
    fflush(stdout);
    getchar();
    return 0;
}
"""

#: Two events in a poll loop: each round of the one is answered by a permit, the other ends it.
LOOP = r"""
int main(int count, char **names) {
    atoll_segment *segment;
    atoll_event *more, *enough;
    atoll_semaphore *answers;
    bool set;
    if (count != 2) return 2;
    MUST(atoll_segment_open(names[1], NULL, &segment));
    MUST(atoll_event_open(segment, "more", &more));
    MUST(atoll_event_open(segment, "enough", &enough));
    MUST(atoll_semaphore_open(segment, "answers", NULL, &answers));
    for (;;) {
        struct pollfd polled[2] = {{.events = POLLIN}, {.events = POLLIN}};
        MUST(atoll_event_descriptor(more, &polled[0].fd));
        MUST(atoll_event_descriptor(enough, &polled[1].fd));
        if (poll(polled, 2, -1) < 0) return 3;
        MUST(atoll_event_is_set(enough, &set));
        if (set) return 0;
        MUST(atoll_event_is_set(more, &set));
        if (!set) continue;
        MUST(atoll_event_clear(more));
        MUST(atoll_semaphore_release(answers, 1));
    }
}
"""

#: What comes by a spsc goes into a fanin, twice, and its text into a ring of messages.
RELAY = r"""
struct reading {
    int32_t number;
    double value;
};

int main(int count, char **names) {
    const atoll_type messages = {.code = ATOLL_BYTES};
    atoll_segment *segment;
    atoll_spsc *come;
    atoll_fanin *twice;
    atoll_mpmc *texts;
    struct reading reading;
    if (count != 2) return 2;
    MUST(atoll_segment_open(names[1], NULL, &segment));
    MUST(atoll_spsc_open(segment, "come", NULL, NULL, &come));
    MUST(atoll_fanin_open(segment, "twice", NULL, NULL, &twice));
    MUST(atoll_mpmc_open(segment, "texts", &messages, NULL, &texts));
    for (;;) {
        char text[64];
        struct reading *places;
        size_t n;
        atoll_status status =
            atoll_spsc_get(come, &reading, sizeof reading, NULL, ATOLL_FOREVER);
        if (status == ATOLL_CLOSED) break;
        MUST(status);
        int length = snprintf(text, sizeof text, "%d is %g", reading.number, reading.value);
        MUST(atoll_mpmc_put(texts, text, (size_t)length, ATOLL_FOREVER));
        MUST(atoll_fanin_put(twice, &reading, sizeof reading, ATOLL_FOREVER));
        while ((status = atoll_fanin_claim(twice, 1, (void **)&places, &n)) == ATOLL_FULL)
            poll(NULL, 0, 1);
        MUST(status);
        places->number = -reading.number;
        places->value = reading.value / 2;
        MUST(atoll_fanin_commit(twice, 1));
    }
    MUST(atoll_fanin_shutdown(twice, ATOLL_PRODUCERS));
    return 0;
}
"""


class Reading(ctypes.Structure):
    _fields_ = [("number", ctypes.c_int32), ("value", ctypes.c_double)]


@pytest.fixture
def build(tmp_path):
    """Gives the path of a program, built with the library that this process has."""
    return functools.partial(_build, tmp_path)


def _build(tmp_path, text):
    compiler = shutil.which("cc")
    if not compiler or not INCLUDE.exists():
        pytest.skip("there is no compiler, or this package is not in its tree")
    library = next(line.split()[-1] for line in open("/proc/self/maps") if "libatoll" in line)
    link = tmp_path / "libatoll.so.0"
    link.exists() or link.symlink_to(library)
    source, binary = tmp_path / "program.c", tmp_path / "program"
    source.write_text(HEAD + text)
    command = [compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{INCLUDE}", source, library]
    subprocess.run([*command, f"-Wl,-rpath,{tmp_path}", "-o", binary], check=True)
    return binary


def test_waiting_for_each_other(segment, build):
    event, latch = atoll.Event(segment, "event"), atoll.Latch(segment, "latch", 1)
    semaphore, rwlock = atoll.Semaphore(segment, "semaphore", 0), atoll.RWLock(segment, "rwlock")
    condition, barrier = atoll.Condition(segment, "condition"), atoll.Barrier(segment, "barrier", 2)
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with subprocess.Popen([build(ALL_KINDS), segment.name], **pipes) as other:
        try:
            assert barrier.wait() in (0, 1)
            event.set()
            assert latch.wait() is True and not event.is_set()
            with rwlock.reading():
                semaphore.release()
                while semaphore.get_value():
                    time.sleep(0.001)
            assert semaphore.acquire() and semaphore.acquire()
            with condition:
                condition.notify()
                while not condition.wait(5):  # it did not wait yet
                    condition.notify()
            assert other.stdout.readline() == "inside\n"
            assert rwlock.readers() == 1 and rwlock.acquire_write(False) is False
            os.kill(other.pid, 9)
            with rwlock.writing():
                pass
            with pytest.raises(atoll.Broken) as caught:
                barrier.wait()
            assert caught.value.pid == other.pid
        finally:
            other.kill()
    segment.verify()


def test_a_poll_loop_and_a_program_of_asyncio(segment, build):
    more, enough = atoll.Event(segment, "more"), atoll.Event(segment, "enough")
    answers = atoll.Semaphore(segment, "answers", 0)

    async def main():
        for _ in range(300):
            more.set()
            assert await answers.acquire_async(60)
        other.kill() if kill else enough.set()

    for kill in (True, False):
        with subprocess.Popen([build(LOOP), segment.name]) as other:
            try:
                asyncio.run(main())
                assert other.wait() == (-9 if kill else 0)
            finally:
                other.kill()
    assert not answers.get_value()
    segment.verify()


def test_records_that_go_there_and_back(segment, build):
    come = atoll.Spsc(segment, "come", Reading, 4)
    twice = atoll.Fanin(segment, "twice", Reading, 4, lanes=2)
    texts = atoll.Mpmc(segment, "texts", "bytes", 8)
    with subprocess.Popen([build(RELAY), segment.name]) as other:
        try:
            for number in range(200):
                if number % 2:
                    with come.claim(1, 60) as places:
                        places[0] = Reading(number, number / 4)
                else:
                    come.put(Reading(number, number / 4), timeout=60)
                assert texts.get(timeout=60) == b"%d is %g" % (number, number / 4)
                first = twice.get(timeout=60)
                assert (first.number, first.value) == (number, number / 4)
                with twice.peek(1, 60) as records:
                    assert (records[0].number, records[0].value) == (-number, number / 8)
            come.shutdown()
            with pytest.raises(atoll.Closed):
                twice.get(timeout=60)
            assert other.wait() == 0
        finally:
            other.kill()
    segment.verify()
