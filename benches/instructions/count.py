#!/usr/bin/env python3
"""Instructions per operation, as callgrind counts them, beside those of ../instructions.txt.

    make instructions              compares: more of them is a slow-down, seen without a clock
    make instructions BLESS=1      writes them down anew

A count is the work of a compiler as much as ours. So it is compared only where it was made
with the same tools, which the file names; elsewhere it is a visible skip, since a tolerance
for any compiler would hide what is to be seen. Fewer instructions than in the file fail as
more do: a gain that is not written down hides the next loss.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TREE = HERE.parent.parent
FILE = TREE / "benches" / "instructions.txt"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", TREE / "target"))
RELEASE = TARGET / "release"
BUILT = TARGET / "instructions"
CANNOT_RUN = 77

HEADING = """\
# Instructions per operation, the turn of a loop around it included: see docs/benchmarks.md.
# Renewed by `make instructions BLESS=1`, with these tools:
"""


class Skipped(Exception):
    """Some of it cannot be counted here; the text says why."""


# --- what is counted -----------------------------------------------------------------------------


class Group:
    """Operations of one program, whose counts depend on some tools."""

    def __init__(self, name, make_command, tools, layouts=1, **environment):
        self.name = name
        self.make_command = make_command
        self.tools = ("rustc", "libc", "valgrind", *tools)
        self.layouts = layouts
        self.environment = environment


def groups():
    return [
        Group("c", lambda: [compiled("calls.c"), segment()], ["cc"]),
        Group("c++", lambda: [compiled("inlined.cpp"), segment()], ["c++"]),
        # Python keeps the attributes of classes in a table by their addresses: in one folder two of
        # a call's share a place, and the call takes 11 % more, in another they do not. Of a few
        # layouts of memory the least count is that of the operation alone.
        Group("accelerator", in_python, ["cc", "python"], layouts=3),
        Group("ctypes", in_python, ["python"], layouts=3, ATOLL_PURE="1"),
    ]


def in_python():
    return [sys.executable, HERE / "operations.py", compiled("marks.c", "-shared", "-fPIC")]


def compiled(source, *options):
    """A program in C or C++, linked with the library, or a library that is not."""
    command = ["c++", "-std=c++17"] if source.endswith("pp") else ["cc", "-std=gnu11"]
    output = BUILT / Path(source).stem
    link = ["-I", TREE / "include", "-L", RELEASE, "-latoll", f"-Wl,-rpath,{RELEASE}"]
    command += ["-O2", "-DNDEBUG", "-Wall", "-Wextra", HERE / source, "-o", output, *(options or link)]
    BUILT.mkdir(parents=True, exist_ok=True)
    said = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if "fatal error: valgrind" in said.stderr:
        raise Skipped("there are no headers of valgrind: install its development package")
    if said.returncode:
        sys.exit(said.stderr)
    return output


def segment():
    """A name of the same length, whatever the number of this process."""
    return f"atoll-test-{os.getpid():08}-instructions"


def toolchain():
    """What counts depend on besides us."""

    def first_line(*command):
        said = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        return said.stdout.partition("\n")[0]

    return {
        "rustc": first_line("rustc", "--version"),
        "cc": first_line("cc", "--version"),
        "c++": first_line("c++", "--version"),
        "libc": f"{' '.join(platform.libc_ver())}, {platform.machine()}",
        "python": f"CPython {platform.python_version()}, {platform.python_compiler()}",
        "valgrind": first_line("valgrind", "--version"),
    }


# --- counting ------------------------------------------------------------------------------------


def count(group):
    """Instructions for one operation each, by name."""
    least = {}
    for layout in range(group.layouts):
        for name, number in count_once(group, layout).items():
            least[name] = min(number, least.get(name, number))
    return least


def count_once(group, layout):
    environment = {
        "LAYOUT": str(layout),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(TREE / "python"),
        "ATOLL_LIBRARY": str(RELEASE / "libatoll.so"),
        "PYTHONHASHSEED": "0",
        **group.environment,
    }
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        options = ["--tool=callgrind", f"--callgrind-out-file={folder}/mark", f"--log-file={log}"]
        command = ["valgrind", *options, *group.make_command()]
        status = subprocess.run(command, env=environment).returncode
        if status == CANNOT_RUN:
            raise Skipped("the accelerator is not built for this Python: run `make build`")
        if status:
            sys.exit(f"{log.read_text()}{group.name}: callgrind ended with status {status}")
        return dict(operations(sorted(Path(folder).glob("mark.*"), key=mark_number)))


def mark_number(path):
    return int(path.suffix[1:])


def operations(paths):
    """Pairs of a name and a count, from what callgrind wrote at each mark."""
    once = {}
    for path in paths:
        text = path.read_text(errors="replace")
        mark = re.search(r"^desc: Trigger: Client Request: (\d+) (.+)$", text, re.M)
        if not mark:
            continue
        times, name = int(mark[1]), mark[2]
        counted = int(re.search(r"^totals: (\d+)$", text, re.M)[1])
        if name in once:
            fewer_times, fewer = once[name]
            yield name, round((counted - fewer) / (times - fewer_times))
        once[name] = times, counted


# --- comparing -----------------------------------------------------------------------------------


def written():
    """The tools and the counts in the file."""
    text = FILE.read_text() if FILE.exists() else ""
    tools = dict(re.findall(r"^#   (\S+) +(.*)$", text, re.M))
    counts = re.findall(r"^([^#\s]\S*) +(.+?) +(\d+)$", text, re.M)
    return tools, {(group, name): int(number) for group, name, number in counts}


def is_close(now, then):
    """The same build counts the same; where Python lies in memory makes 0.3 % of it."""
    return abs(now - then) <= 2 + 0.01 * then


def compare(group, tools, expected):
    """Counts a group and prints how it compares; gives the numbers of passed and failed."""
    with_tools, in_file = expected
    for tool in group.tools:
        if with_tools.get(tool) != tools[tool]:
            was = with_tools.get(tool, "nothing")
            raise Skipped(
                f"counted with {was}, and here is {tools[tool]}: to compare, renew the file at "
                "the commit that you started from"
            )
    found = count(group)
    expected = {name: number for (of, name), number in in_file.items() if of == group.name}
    good = 0
    for name in {**expected, **found}:
        now, then = found.get(name), expected.get(name)
        fine = now is not None and then is not None and is_close(now, then)
        good += fine
        print(line(group.name, name, then, now) + ("" if fine else f"   {complaint(now, then)}"))
    return good, len({**expected, **found}) - good


def complaint(now, then):
    if then is None:
        return "FAILED: is not in the file: renew it"
    if now is None:
        return "FAILED: is no longer counted: renew the file"
    if now > then:
        return f"FAILED: {now / then - 1:.0%} more. If that has to be, renew the file"
    return f"FAILED: {1 - now / then:.0%} fewer. Renew the file, to keep what is gained"


def line(group, name, *numbers):
    columns = "".join(f"{'-' if number is None else number:>8}" for number in numbers)
    return f"{group:<12} {name:<40}{columns}"


def check(tools):
    expected = written()
    passed = failed = skipped = 0
    print(line("", "", "file", "now"))
    for group in groups():
        try:
            good, bad = compare(group, tools, expected)
            passed, failed = passed + good, failed + bad
        except Skipped as reason:
            skipped += 1
            print(f"{group.name:<12} skipped: {reason}", flush=True)
    print(f"instructions: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


def renew(tools):
    lines = [f"#   {tool:<9} {version}" for tool, version in tools.items()]
    for group in groups():
        try:
            lines += ["", *(line(group.name, *counted) for counted in count(group).items())]
        except Skipped as reason:
            print(f"{group.name} is left out: {reason}")
    FILE.write_text(HEADING + "\n".join(lines) + "\n")
    print("\n".join(lines))
    return 0


def main():
    if not shutil.which("valgrind"):
        print("there is no valgrind here: install it to count instructions")
        return CANNOT_RUN
    is_to_renew = os.environ.get("BLESS", "0") not in ("", "0")
    return renew(toolchain()) if is_to_renew else check(toolchain())


if __name__ == "__main__":
    sys.exit(main())
