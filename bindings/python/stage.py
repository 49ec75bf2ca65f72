#!/usr/bin/env python3
"""Makes a package folder out of links to the entries of source folders.

usage: stage.py PACKAGE SOURCE...
  Links in PACKAGE that lead nowhere any more are removed; the native module and its library stay.
"""

import pathlib
import sys


def stage(package: pathlib.Path, sources: list[pathlib.Path]) -> None:
    package.mkdir(parents=True, exist_ok=True)
    wanted = {entry.name: entry for source in sources for entry in source.iterdir() if entry.name != "__pycache__"}
    for link in package.iterdir():
        ours = link.is_symlink() and ".so" not in link.name
        if ours and (link.name not in wanted or link.readlink() != wanted[link.name]):
            link.unlink()
    for name, entry in wanted.items():
        link = package / name
        if not link.is_symlink():
            link.symlink_to(entry)


if __name__ == "__main__":
    stage(pathlib.Path(sys.argv[1]), [pathlib.Path(p).resolve() for p in sys.argv[2:]])
