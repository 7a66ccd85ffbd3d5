"""Stands in for `python3`, `pip`, `infer-bench` and `bencher`: the one thing about a recipe that is not as it stands.

What is called is written down, a line of JSON a call, in the file that STAND_IN_LOG names. Then

- `pip …` and `python -m pip …` do nothing and end with STAND_IN_PIP, which is 0 when not set;
- `python -m venv DIR` puts these stand-ins into DIR/bin;
- `bencher …` does nothing but read the JSON behind `--file`;
- `infer-bench …` runs the infer-bench that is tested, forked where that can be; where STAND_IN_BUDGET is set, that is
  the budget of its bench, but of one that is given rounds. Of several, as in `10s,10m`, the next is taken where a bench
  ends inconclusive: a busy machine takes longer to tell;
- `python SCRIPT` runs the script, which finds itself run by the stand-in;
- `python …` runs the interpreter of the tests.
"""

import json
import os
import runpy
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INCONCLUSIVE = 3
NAMES = ("python", "python3", "pip", "infer-bench", "bencher")


def place(folder: Path) -> None:
    """Put a stand-in for every name into a folder. Copies, since a link's own name is lost when it is resolved."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        script = f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" "$0" "$@"\n'
        (folder / name).write_text(script, encoding="utf-8")
        (folder / name).chmod(0o755)


def note(name: str, words: list[str]) -> None:
    with open(os.environ["STAND_IN_LOG"], "a", encoding="utf-8") as file:
        file.write(json.dumps([name, *words]) + "\n")


def run_bench(words: list[str], budgets: list[str]) -> int:
    """The exit code of a bench with the first budget that is enough."""
    code = INCONCLUSIVE
    while budgets and code == INCONCLUSIVE:
        code = run_command(set_budget(words, budgets.pop(0)))
    return code


def run_command(words: list[str]) -> int:
    """The exit code of infer-bench."""
    sys.path.insert(0, str(ROOT))
    from tests.forking import ForkedPopen

    with ForkedPopen([sys.executable, "-m", "infer_bench", *words]) as process:
        return process.wait()


def set_budget(words: list[str], budget: str) -> list[str]:
    """A bench with another budget: before all else, and without the one that was given."""
    at = words.index("--budget") if "--budget" in words else len(words)
    return ["bench", f"--budget={budget}", *words[1:at], *words[at + 2 :]]


def main(program: str, *arguments: str) -> None:
    name, words = Path(program).name, list(arguments)
    note(name, words)
    if name == "pip" or words[:2] == ["-m", "pip"]:
        sys.exit(int(os.environ.get("STAND_IN_PIP", "0")))
    if words[:2] == ["-m", "venv"]:
        shutil.rmtree(words[-1], ignore_errors=True)
        place(Path(words[-1]) / "bin")
    elif name == "bencher":
        json.loads(Path(words[words.index("--file") + 1]).read_text(encoding="utf-8"))
    elif words[0].endswith(".py"):
        sys.executable, sys.argv = os.path.abspath(program), words
        runpy.run_path(words[0], run_name="__main__")
    else:
        budgets = os.environ.get("STAND_IN_BUDGET")
        if name == "infer-bench" and budgets and words[:1] == ["bench"] and "--rounds" not in words:
            sys.exit(run_bench(words, budgets.split(",")))
        if name == "infer-bench":
            sys.exit(run_command(words))
        start = [str(ROOT / "tests/forking/start.py")] if words[:2] == ["-m", "pytest"] else []
        os.execv(sys.executable, [sys.executable, *start, *words])


if __name__ == "__main__":
    main(*sys.argv[1:])
