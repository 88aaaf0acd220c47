"""`python -m atoll gc`: what one may want to do from a shell."""

from __future__ import annotations

import argparse

from . import AtollError, gc


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m atoll")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("gc", help="reclaim ephemeral segments of which no process is left")
    parser.parse_args()
    try:
        reclaimed = gc()
    except AtollError as problem:
        parser.exit(1, f"atoll: {problem}\n")
    print(f"{reclaimed} {'segment' if reclaimed == 1 else 'segments'} reclaimed")


if __name__ == "__main__":
    main()
