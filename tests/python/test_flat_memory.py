"""Objects that come and go leave nothing: not in the segment, not in the processes.

    ATOLL_ROUNDS=100000 python -m pytest -s tests/python/test_flat_memory.py
"""

import os
import pickle
import time

import atoll
from support import Child

ROUNDS = int(os.environ.get("ATOLL_ROUNDS", "3000"))
#: Objects that are on their way at a time.
BATCH = 50
WARM = 1000
#: Pages by which the memory of a process may differ from what it was when warm: Python's own
#: allocator takes and gives arenas. A leak of 16 bytes a round shows at 100,000.
SLACK = 256

TAKER = """
    import pickle
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while True:
        length = int.from_bytes(source.read(4), "little")
        if not length: break
        for data in pickle.loads(source.read(length)):
            thing = pickle.loads(data)
            if isinstance(thing, atoll.Lock): thing.acquire(); thing.release()
            elif isinstance(thing, atoll.Value): thing.add(1)
            else: thing[1] += 1
            del thing
        sink.write(int(open("/proc/self/statm").read().split()[1]).to_bytes(4, "little"))
        sink.flush()
"""


def pages():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1])


def make(number):
    if number % 3 == 0:
        return atoll.Lock()
    if number % 3 == 1:
        return atoll.Value(type="i64")
    return atoll.Array(type="f64", shape=40)


def test_create_pickle_load_and_drop_elsewhere(capsys):
    home = atoll.Lock()._segment
    # Tickets that nobody has come with stay as long as the process, and so do their objects.
    others = home.stat().objects
    with Child(TAKER) as child:
        give, take = child.process.stdin.buffer, child.process.stdout.buffer

        def rounds(count):
            """Gives the pages of the other process afterwards."""
            for _ in range(0, count, BATCH):
                things = [make(number) for number in range(BATCH)]
                data = pickle.dumps([pickle.dumps(thing) for thing in things])
                give.write(len(data).to_bytes(4, "little") + data)
                give.flush()
                theirs = int.from_bytes(take.read(4), "little")
                assert (things[1].value, things[2][1]) == (1, 1)
                assert home.stat().objects == others + BATCH
            return theirs

        def state():
            info = home.stat()
            return info.objects, info.used, info.committed

        theirs, mine, warm = rounds(WARM), pages(), state()
        begin = time.monotonic()
        theirs_now, mine_now, end = rounds(ROUNDS), pages(), state()
        seconds = time.monotonic() - begin
        give.write(bytes(4))
        child.finish()
    if ROUNDS >= 100_000:
        with capsys.disabled():
            print(f"\n{ROUNDS:,} rounds in {seconds:.1f} s")
            print(f"segment (objects, used, committed): {warm} -> {end}")
            print(f"resident pages here {mine} -> {mine_now}, there {theirs} -> {theirs_now}")
    assert end == warm
    assert mine_now - mine < SLACK and theirs_now - theirs < SLACK
    home.verify()


def test_pickles_that_nobody_loads_end_with_their_process(segment):
    used = segment.stat().used
    code = """
        import pickle
        for _ in range(500): pickle.dumps(atoll.Value(segment, None, "i64"))
        say(segment.stat().objects)
        hang()
    """
    with Child(code, segment) as child:
        child.expect("500")
        child.kill()
    assert segment.stat().objects == 0
    assert segment.stat().used == used
    segment.verify()
