"""The text to count: files, one after the other, as `cat` joins them."""

import os
import sysconfig
from pathlib import Path

ELSEWHERE = {"site-packages", "dist-packages"}  # not the standard library


class Unusable(Exception):
    """What was given cannot be counted; the text says why."""


class Corpus:
    """`Corpus()` is the sources of Python's standard library; else a file or a folder of files."""

    def __init__(self, given=None):
        try:
            self.where = Path(given or sysconfig.get_path("stdlib"))
            pattern = "*" if given else "*.py"
            self.files = [(path, path.stat().st_size) for path in self._find(pattern)]
        except OSError as error:
            raise _refused(error) from None
        self.size = sum(size for _, size in self.files)
        if self.size == 0:
            raise Unusable(f"{self.where} is empty: there is nothing to count")

    def _find(self, pattern):
        if self.where.is_file():
            return [self.where]
        if not self.where.is_dir():
            other = "neither a file nor a folder" if self.where.exists() else "not there"
            raise Unusable(f"{self.where} is {other}: give a file or a folder with files")
        found = []
        for folder, folders, _ in os.walk(self.where, onerror=_raise):
            folders[:] = [name for name in folders if name not in ELSEWHERE]
            found += [path for path in Path(folder).glob(pattern) if path.is_file()]
        return sorted(found)

    def read_into(self, room, progress):
        """Fills a memoryview of `size` bytes. Tells `progress` how many it has."""
        at = 0
        for path, size in self.files:
            try:
                with open(path, "rb", buffering=0) as file:
                    end = at + size
                    while at < end:
                        got = file.readinto(room[at:end])
                        if not got:
                            raise Unusable(f"{path}: it became shorter meanwhile; start again")
                        at += got
                        progress(at)
            except OSError as error:
                raise _refused(error) from None


def _raise(error):
    raise error


def _refused(error):
    return Unusable(f"{error.filename}: {error.strerror}")
