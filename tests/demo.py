#!/usr/bin/env python3
"""Checks the demo as users meet it, by `make demo`: what it says, what it refuses, what it leaves.

That it notices wrong totals is checked, too, on a copy whose workers do not tell the transaction
that they will change the totals.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from checks import INCLUDE, TARGET, TREE, finish, report, run, segment_folder

KILLS = 8
LINE = re.compile(r" *\d+ (demo|c|c\+\+|python-[12]) +\S.*")
RELEASE = TARGET / "release"


def main():
    with tempfile.TemporaryDirectory(prefix="atoll-demo-") as folder:
        work = Path(folder)
        counts("docs", TREE / "docs")
        counts("a binary file", TARGET / "demo" / "worker-c")
        counts("one byte", a_file(work, "one 'byte", b"x"))
        counts("one endless word", a_file(work, "word", b"w" * 1_000_000))
        counts("nothing is killed", TREE / "docs", kills=0)
        refuses("a missing file", "is not there", f"INPUT={work / 'missing'}")
        refuses("an empty file", "is empty", f"INPUT={a_file(work, 'empty', b'')}")
        refuses("a device", "neither a file nor a folder", "INPUT=/dev/null")
        refuses("half a kill", "not '0.5'", "KILLS=0.5")
        refuses_to_overflow()
        cleans_up_when_interrupted()
        notices_that_nothing_is_undone(work)
    finish()


def a_file(folder, name, text):
    (folder / name).write_bytes(text)
    return folder / name


def counts(check, path, kills=KILLS):
    """The totals are equal, each kill is on the timeline, and nothing is left."""
    with segment_folder() as environment:
        status, said = run(
            ["make", "demo", f"INPUT={path}", f"KILLS={kills}"], cwd=TREE, env=environment
        )
        left = os.listdir(environment["ATOLL_DIR"])
    timeline = [line for line in said.splitlines() if LINE.fullmatch(line)]
    good = (
        status == 0
        and said.endswith("\ntotals equal: yes\n")
        and sum("takes over" in line for line in timeline) == kills
        and sum("which the mutex names as its owner" in line for line in timeline) == kills
        and not left
    )
    report("ok" if good else "FAIL", f"demo: {check}", "" if good else f"{said}\nleft: {left}")


def refuses(check, sentence, *arguments, **options):
    status, said = run(["make", "demo", *arguments], cwd=TREE, **options)
    good = status != 0 and sentence in said and "Traceback" not in said
    report("ok" if good else "FAIL", f"demo refuses {check}", "" if good else said)


def refuses_to_overflow():
    """A text that does not fit into shared memory: a small tmpfs, where one may mount."""
    check = "more than fits into shared memory"
    with segment_folder() as environment:
        small = Path(environment["ATOLL_DIR"], "small")
        small.mkdir()
        if run(["mount", "-t", "tmpfs", "-o", "size=1M", "none", small])[0]:
            return report("skip", f"demo refuses {check}: no right to mount")
        try:
            refuses(check, "--shm-size", env={**environment, "ATOLL_DIR": str(small)})
        finally:
            run(["umount", small])


def cleans_up_when_interrupted():
    """Ctrl-C while a worker stands still with the lock in its hand."""
    with segment_folder() as environment:
        demo = subprocess.Popen(
            ["make", "demo"],
            cwd=TREE,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        said = ""
        for line in demo.stdout:
            said += line
            if "stops inside" in line:
                os.killpg(demo.pid, signal.SIGINT)
                break
        said += demo.communicate()[0]
        left = os.listdir(environment["ATOLL_DIR"])
    left += [pid for pid in re.findall(r"as process (\d+)", said) if Path("/proc", pid).exists()]
    good = demo.returncode != 0 and "interrupted" in said and "Traceback" not in said and not left
    report(
        "ok" if good else "FAIL",
        "demo cleans up after Ctrl-C",
        "" if good else f"{said}\nleft: {left}",
    )


def notices_that_nothing_is_undone(work):
    """Without step 4 of demo/README.md the totals come out wrong, and the demo says so."""
    copy = work / "demo"
    shutil.copytree(TREE / "demo", copy)
    for worker in ["worker.c", "worker.cpp", "worker.py"]:
        lines = (copy / worker).read_text().splitlines(keepends=True)
        (copy / worker).write_text("".join(line for line in lines if "(4)" not in line))
    link = [f"-I{INCLUDE}", f"-L{RELEASE}", "-latoll", f"-Wl,-rpath,{RELEASE}"]
    for compiler in [["cc", "-std=c11"], ["c++", "-std=c++17"]]:
        ending = {"cc": "c", "c++": "cpp"}[compiler[0]]
        built = run([*compiler, copy / f"worker.{ending}", "-o", copy / f"worker-{ending}", *link])
        if built[0]:
            return report("FAIL", "demo without step 4 compiles", built[1])
    command = [sys.executable, copy / "run.py", "--workers", copy, "--kills", KILLS, TREE / "docs"]
    with segment_folder() as environment:
        status, said = run(command, env=environment)
    good = status == 1 and said.endswith("\ntotals equal: no\n")
    report("ok" if good else "FAIL", "demo notices that nothing is undone", "" if good else said)


if __name__ == "__main__":
    main()
