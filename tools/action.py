"""What `action.yml` runs: install infer-bench into an environment of its own, run the gate, hand on its exit code.

Every input arrives in an environment variable and leaves as one word of an argument list. No shell sees any of them.
Standard library only, since it runs in whatever interpreter the job has; `action.yml` has seen that it is new enough.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

CANNOT_RUN, USAGE = 6, 2
STATUSES = {0: "pass", 1: "regressed", 2: "usage", 3: "inconclusive", 4: "different", 5: "not-comparable", 70: "bug"}
"""By exit code, for runs that leave no verdict; any other code is `failed`."""
VALUES = {
    "against": "--against",
    "data": "--data",
    "max-regression": "--max-regression",
    "max-delta": "--max-delta",
    "budget": "--budget",
    "inconclusive": "--inconclusive",
}
LISTS = {"limits": "--limit", "engines": "--engine"}
EXTRAS = re.compile(r"[A-Za-z0-9._-]+(?:,[A-Za-z0-9._-]+)*")


class Refusal(Exception):
    """Why the gate was not run, with the exit code for it."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def input_of(environment: Mapping[str, str], name: str) -> str:
    """An input without the blank lines around it; empty when it was not given."""
    return environment.get("INPUT_" + name.upper().replace("-", "_"), "").strip()


def lines(text: str) -> list[str]:
    """One value a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def arguments(environment: Mapping[str, str]) -> list[str]:
    """The arguments of `infer-bench`. Values are joined to their options, so that none can pass for an option."""
    model = input_of(environment, "model")
    if not model:
        raise Refusal("the input 'model' is empty", USAGE)
    words = ["bench"]
    words += [f"{option}={value}" for name, option in VALUES.items() if (value := input_of(environment, name))]
    words += [f"{option}={value}" for name, option in LISTS.items() for value in lines(input_of(environment, name))]
    try:
        words += shlex.split(input_of(environment, "args"))
    except ValueError as error:
        raise Refusal(f"the input 'args' cannot be split into words: {error}", USAGE) from None
    return [*words, f"--json={report_path(environment)}", "--", model]


def report_path(environment: Mapping[str, str]) -> str:
    """Where the JSON report goes."""
    return input_of(environment, "report") or "infer-bench.json"


def install(environment: Mapping[str, str]) -> Path:
    """The `infer-bench` of a new virtual environment, or of the one that an earlier step of this job made alike."""
    source = Path(input_of(environment, "source") or Path(__file__).resolve().parent.parent).resolve()
    extras = ",".join(name.strip() for name in input_of(environment, "extras").split(","))
    if extras and not EXTRAS.fullmatch(extras):
        raise Refusal(f"the input 'extras' is no list of names: {extras!r}", USAGE)
    python = sys.executable  # the input may be a path from the job's folder, and the sources lie elsewhere
    folder = _folder(environment, python, str(source), extras)
    command, mark = folder / "bin" / "infer-bench", folder / "installed"
    if not mark.exists():
        _execute([python, "-m", "venv", "--clear", str(folder)], source)
        pins = ["--constraint", "constraints.txt"] if (source / "constraints.txt").is_file() else []
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _execute([*pip, *pins, f".[{extras}]" if extras else "."], source)
        mark.touch()
    return command


def _folder(environment: Mapping[str, str], *settings: str) -> Path:
    """Kept for the job where the runner has a folder for that, which nobody else can write to."""
    temp_folder = environment.get("RUNNER_TEMP")
    if not temp_folder:
        return Path(tempfile.mkdtemp(prefix="infer-bench-"))
    return Path(temp_folder).resolve() / f"infer-bench-{hashlib.sha256(repr(settings).encode()).hexdigest()[:16]}"


def _execute(command: Sequence[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, check=True)
    except OSError as error:
        raise Refusal(f"{command[0]} cannot be started: {error.strerror}", CANNOT_RUN) from None
    except ValueError:
        raise Refusal("an input holds a NUL", USAGE) from None
    except subprocess.CalledProcessError as error:
        raise Refusal(
            f"the installation failed: {shlex.join(command)} ended with {error.returncode}", CANNOT_RUN
        ) from None


def stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes when a report is written: one that an earlier run left must not be taken for this one's."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def status_of(code: int, report: Path | None) -> str:
    """The verdict's status where the report has one, else what the exit code says."""
    try:
        verdict = json.loads(report.read_text(encoding="utf-8"))["verdict"] if report else None
    except (OSError, ValueError, KeyError, TypeError):
        verdict = None
    statuses = {*STATUSES.values(), "failed"}
    status = verdict.get("status") if isinstance(verdict, dict) and verdict.get("exit_code") == code else None
    return status if status in statuses else STATUSES.get(code, "failed")


def write_outputs(environment: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Append the outputs; the delimiter is random, so that no value can end its own output and begin another."""
    path = environment.get("GITHUB_OUTPUT")
    if not path:
        return
    with open(path, "a", encoding="utf-8") as file:
        for name, value in outputs.items():
            end = uuid.uuid4().hex
            file.write(f"{name}<<{end}\n{value}\n{end}\n")


def annotate(level: str, message: str) -> None:
    """An annotation; what GitHub would read as syntax is escaped. One that cannot be written changes nothing."""
    text = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    with contextlib.suppress(OSError, ValueError):
        print(f"::{level} title=infer-bench::{text}", flush=True)


def gate(environment: Mapping[str, str]) -> tuple[int, Path | None]:
    """Install, run and export; returns the exit code and the report of this run, if there is one."""
    words = arguments(environment)
    print("::group::Install infer-bench", flush=True)
    try:
        command = install(environment)
    finally:
        print("::endgroup::", flush=True)
    report = Path(report_path(environment))
    before = stamp(report)
    code = exit_code_of(subprocess.run([str(command), *words], stdin=subprocess.DEVNULL, check=False).returncode)
    fresh = report if stamp(report) not in (None, before) else None
    if fresh is None and code == 0:
        raise Refusal(f"nothing was judged: infer-bench left no report in {report}", CANNOT_RUN)
    if fresh is None:
        annotate("error", f"infer-bench ended with exit code {code} and left no report; its log says why")
    junit = input_of(environment, "junit")
    if junit and fresh is not None:
        _export(command, fresh, junit)
    return code, fresh


def exit_code_of(returncode: int) -> int:
    """As a shell would tell it: a process that a signal ended has none of the gate's own codes."""
    return 128 - returncode if returncode < 0 else returncode


def _export(command: Path, report: Path, junit: str) -> None:
    show = [str(command), "show", "--format=junit", f"--output={junit}", "--", str(report)]
    if subprocess.run(show, stdin=subprocess.DEVNULL, check=False).returncode:
        annotate("warning", "the JUnit file could not be written; the log says why")


def main(environment: Mapping[str, str]) -> int:
    """Run the gate; outputs are written whatever its end. That they cannot be is no regression either."""
    report = None
    try:
        code, report = gate(environment)
    except Refusal as refusal:
        code = refusal.code
        annotate("error", str(refusal))
    except (OSError, ValueError) as error:
        code = CANNOT_RUN
        annotate("error", f"infer-bench could not be run: {error}")
    outputs = {"status": status_of(code, report), "exit-code": str(code), "report": str(report or "")}
    try:
        write_outputs(environment, outputs)
    except (OSError, ValueError) as error:
        annotate("error", f"the outputs could not be written: {error}")
        code = code or CANNOT_RUN
    return code


if __name__ == "__main__":
    sys.exit(main(os.environ))
