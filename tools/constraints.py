"""Write `constraints.txt`: the newest versions that fit together, for all supported Pythons and systems at once.

Run by `make constraints`. The resolver is uv (only here: the file is plain, and pip reads it). A package whose newest
version needs a later Python than our oldest gets one line a Python, told apart by an environment marker.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# Versions that are tested together, for every supported Python: pip install -c constraints.txt '.[cpu]'
# Written by `make constraints`; do not edit.
"""
EXTRAS = ("dev", "release", "dask", "lleaves", "tl2cgen", "sklearnex")
"""What is pinned: `dev`, and what it leaves out that is small enough to be installed beside it."""
PIN = re.compile(r"[a-z0-9][a-z0-9.-]*==[0-9][A-Za-z0-9.+!]*( ; [a-z_]+ (<|<=|==|!=|>=|>) '[^']+'.*)?")


def resolve() -> list[str]:
    """One `name==version[ ; marker]` line a package, sorted by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    oldest = project["requires-python"].removeprefix(">=")
    quiet = ["--quiet", "--no-header", "--no-annotate", "--upgrade"]
    extras = [part for extra in EXTRAS for part in ("--extra", extra)]
    command = ["uv", "pip", "compile", "--universal", "--python-version", oldest, *extras]
    process = subprocess.run(
        [sys.executable, "-m", *command, *quiet, "pyproject.toml"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return process.stdout.splitlines()


def main() -> None:
    """Resolve, check that each line is a plain pin, and write."""
    lines = resolve()
    odd = [line for line in lines if not PIN.fullmatch(line)]
    if odd or not lines:
        sys.exit(f"not plain pins: {odd or 'nothing was resolved'}")
    (ROOT / "constraints.txt").write_text(HEADER + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
