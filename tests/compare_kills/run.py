#!/usr/bin/env python3
"""What a kill does: multiprocessing's locks and the like beside those of atoll.multiprocessing.

    make compare-kills [KILLS=50]

For each scene (scenes.py) and so many times, a process is killed by SIGKILL where it holds or
waits for something, and another one that is left does the next usual thing. It may hang, go on,
or go on and be told that somebody died. Exit status 1 if anybody hangs with ours, or anything
goes wrong otherwise.
"""

import multiprocessing
import multiprocessing.connection
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

#: Seconds after which the one who is left hangs. Theirs hang often; with ours none may, however
#: busy this machine is.
PATIENCE = {"theirs": 3, "ours": 60}
#: So many trials at a time. Those that hang need no processor.
LANES = {"theirs": 24, "ours": 2 * len(os.sched_getaffinity(0))}

OUTCOMES = ["hung", "went on", "told"]
_WENT_ON, _TOLD = 10, 11


def module_of(side):
    if side == "theirs":
        return multiprocessing
    import atoll.multiprocessing

    return atoll.multiprocessing


def trial(side, scene):
    """In a process of its own: what that ends with is the outcome."""
    from scenes import IN_A_CALL

    acts = scene(module_of(side))
    victim_does = next(acts)
    theirs, ours = os.pipe()

    say = partial(os.write, ours, b".")
    process = multiprocessing.get_context("fork").Process(target=victim_does, args=(say,))
    process.start()
    os.read(theirs, 1)
    if scene in IN_A_CALL:
        time.sleep(random.uniform(0.0, 0.05))
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    signal.alarm(PATIENCE[side])  # nobody handles it: who hangs is ended by it
    try:
        next(acts)
    except StopIteration as end:
        signal.alarm(0)
        sys.exit(_TOLD if end.value else _WENT_ON)


def outcome(status):
    """What the exit status of a trial means."""
    known = {-signal.SIGALRM: "hung", _WENT_ON: "went on", _TOLD: "told"}
    return known.get(status, f"ended with {status}")


def outcomes(side, scene, kills):
    """How often each thing came of a scene."""
    fork = multiprocessing.get_context("fork")
    running, counts, left = {}, Counter(), kills
    while left or running:
        while left and len(running) < LANES[side]:
            process = fork.Process(target=trial, args=(side, scene))
            process.start()
            running[process.sentinel] = process
            left -= 1
        for sentinel in multiprocessing.connection.wait(running):
            process = running.pop(sentinel)
            process.join()
            counts[outcome(process.exitcode)] += 1
            process.close()
    return counts


def main(kills):
    from scenes import SCENES

    sides = {"multiprocessing": "theirs", "atoll.multiprocessing": "ours"}
    print(f"{'':20}" + "".join(f"{name:>30}" for name in sides))
    titles = "".join(f"{title:>10}" for title in OUTCOMES)
    print(f"{'killed':20}{titles}{titles}")
    bad = Counter()
    for (kind, role), scene in SCENES.items():
        line = f"{kind:10}{role:10}"
        for side in sides.values():
            counts = outcomes(side, scene, kills)
            line += "".join(f"{counts[title]:>10}" for title in OUTCOMES)
            for title, count in counts.items():
                if title not in OUTCOMES or (side == "ours" and title == "hung"):
                    bad[f"{kind} {role} ({side}) {title}"] += count
        print(line, flush=True)
    for what, count in bad.items():
        print(f"wrong: {what}, {count} times")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    with tempfile.TemporaryDirectory(prefix="atoll-test-", dir="/dev/shm") as folder:
        os.environ["ATOLL_DIR"] = folder
        status = main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
    sys.exit(status)
