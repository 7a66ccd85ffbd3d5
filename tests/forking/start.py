"""`python start.py [--own-children] SCRIPT|-m MODULE …`: what it starts of the package is forked.

With `--own-children`, which a process needs that waits for its children by their number, only what these start is.
"""

import os
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.forking import client

OWN_CHILDREN = "--own-children"


def main() -> None:
    """Ask for forks, and be what comes after."""
    for name in ("tests", "tests.forking", "tests.forking.client"):  # which nothing else is to find
        del sys.modules[name]
    del sys.path[0]
    words = sys.argv[1:]
    client.install(own_children=words[0] == OWN_CHILDREN)
    first, *rest = words[words[0] == OWN_CHILDREN :]
    if first == "-m":
        sys.argv, sys.path[0] = rest, os.getcwd()
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv, sys.path[0] = [first, *rest], str(Path(first).resolve().parent)
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    main()
