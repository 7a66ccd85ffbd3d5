"""Who is compared with whom in a gate: candidates, and the baseline that `--against` names."""

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from infer_bench.engines import registry
from infer_bench.errors import CannotRun, UsageError
from infer_bench.measure.candidates.candidates import Candidate, ToOnnx, choose_candidates, usual_candidate
from infer_bench.measure.candidates.spec import parse
from infer_bench.measure.schedule.scheduler import Pair
from infer_bench.model import ModelRef

ASK = "import sys; print('Python', sys.version_info[0], sys.version_info[1], flush=True); import numpy"
"""Understood by interpreters that are too old, too, which are to say so."""
OLDEST = (3, 11)
_VERSION = re.compile(r"^Python (\d+) (\d+)$", re.MULTILINE)
START_S = 60.0

Opener = Callable[[str], ModelRef]


def matches(
    models: Sequence[ModelRef],
    asked: Sequence[str],
    against: str | None,
    python: str | None,
    *,
    model_ref: Opener,
    to_onnx: ToOnnx,
    threads: int,
) -> list[Pair]:
    """A match for each candidate. Without `against` and `python` they have no baseline.

    `against` is a model (opened by the same candidate where its family can), another candidate for the same model, or
    a function; `python` is the interpreter that the baseline runs in, the same candidate unless `against` says
    otherwise. Raises `UsageError` when `against` is none of these or names the candidate itself.
    """
    held = {}
    for model in models:
        for text in asked or [usual_candidate(model)]:
            candidate = _candidate(model, text, to_onnx, threads)
            baseline = _baseline(candidate, text if asked else None, against, python, model_ref, to_onnx, threads)
            held[candidate.key] = Pair(candidate, baseline)
    found = list(held.values())
    same = [m for m in found if m.baseline is not None and m.baseline.key == m.candidate.key]
    if same and len(same) == len(found):
        raise UsageError(f"{same[0].candidate.label} would be compared with itself", "name another model or candidate")
    return [match for match in found if match not in same]


def _candidate(model: ModelRef, text: str, to_onnx: ToOnnx, threads: int) -> Candidate:
    return choose_candidates([model], [text], to_onnx, threads)[0][0]


def _baseline(
    candidate: Candidate,
    text: str | None,
    against: str | None,
    python: str | None,
    model_ref: Opener,
    to_onnx: ToOnnx,
    threads: int,
) -> Candidate | None:
    found = candidate if python else None
    if against is not None:
        if _is_candidate(against):
            found = _candidate(candidate.model, against, to_onnx, threads)
        else:
            model = model_ref(against)
            found = _candidate(
                model, text if text and _opens(candidate, model) else usual_candidate(model), to_onnx, threads
            )
    if found is None or python is None:
        return found
    return replace(found, interpreter=interpreter(python), folder=home_of(python, found))


def _opens(candidate: Candidate, model: ModelRef) -> bool:
    """Whether the candidate can be used on another model: by its own engine, or converted for ONNX Runtime."""
    if candidate.spec.target is not None or model.family == "callable":
        return False
    return model.format in candidate.engine.formats or "onnx" in candidate.engine.formats


def _is_candidate(text: str) -> bool:
    """`engine` or `engine:key=value`; a file of that name and a function are models."""
    if os.path.lexists(text):
        return False
    head = text.partition(":")[0]
    return head in registry.names() and parse(text).target is None


def interpreter(python: str) -> str:
    """The interpreter's absolute path, a virtual environment's left as it is.

    Raises `CannotRun` when it does not start, is older than 3.11 or has no numpy.
    """
    path = os.path.abspath(python)
    if os.path.isdir(path):
        inside = os.path.join(path, "bin", "python")
        path = inside if os.path.exists(inside) else path
    try:
        done = subprocess.run(
            [path, "-c", ASK],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=START_S,
            check=False,
            cwd=os.path.dirname(path),
        )
    except subprocess.TimeoutExpired:
        raise CannotRun(f"{python} does not answer within {START_S:.0f} s", "is it a Python interpreter?") from None
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise CannotRun(
            f"{python} cannot be started: {reason}", "name a Python interpreter, as in .venv/bin/python"
        ) from None
    _check_interpreter(python, path, done.stdout, done.stderr, done.returncode)
    return path


def _check_interpreter(python: str, path: str, told: str, said: str, code: int) -> None:
    version = _VERSION.search(told)
    lines = [line.strip() for line in (said or told).splitlines() if line.strip()]
    if version is None:
        raise CannotRun(f"{python} is no Python interpreter: {lines[-1][:200] if lines else 'it says nothing'}")
    if (int(version[1]), int(version[2])) < OLDEST:
        raise CannotRun(f"{python} is Python {version[1]}.{version[2]}", "a worker needs Python 3.11 or later")
    if code:
        raise CannotRun(
            f"{python} cannot import numpy, which a worker needs: {lines[-1][:200]}", f"{path} -m pip install numpy"
        )


def home_of(python: str, candidate: Candidate) -> str:
    """Where the other interpreter's worker runs: for a function, the folder that holds the virtual environment.

    So two checkouts of a service, each with an environment of its own inside, are each tried with their own code.
    """
    target = candidate.spec.target or (candidate.model.path if candidate.model.family == "callable" else None)
    if target is None:
        return ""
    path = Path(os.path.abspath(python))
    environment = next((p for p in (path, *path.parents) if (p / "pyvenv.cfg").is_file()), None)
    if environment is None:
        return str(path if path.is_dir() else path.parent)
    top = target.partition(":")[0].partition(".")[0]
    home = environment.parent
    return str(home) if (home / top).exists() or (home / f"{top}.py").exists() else str(environment)
