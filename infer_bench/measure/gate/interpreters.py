"""The interpreter of another environment: whether it can run a worker, and where."""

import os
import re
import subprocess
from pathlib import Path

from infer_bench.errors import CannotRun
from infer_bench.measure.candidates.candidates import Candidate

ASK = "import sys; print('Python', sys.version_info[0], sys.version_info[1], flush=True); import numpy"
"""Understood by interpreters that are too old, too, which are to say so."""
OLDEST = (3, 11)
_VERSION = re.compile(r"^Python (\d+) (\d+)$", re.MULTILINE)
START_S = 60.0


def check_interpreter(python: str) -> str:
    """The interpreter's absolute path, a virtual environment's left as it is.

    Raises `CannotRun` when it does not start, is older than 3.11 or has no numpy.
    """
    path = os.path.abspath(python)
    if os.path.isdir(path):
        inside = os.path.join(path, "bin", "python")
        path = inside if os.path.exists(inside) else path
    try:
        outcome = subprocess.run(
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
    _check_outcome(python, path, outcome)
    return path


def _check_outcome(python: str, path: str, outcome: "subprocess.CompletedProcess[str]") -> None:
    version = _VERSION.search(outcome.stdout)
    lines = [line.strip() for line in (outcome.stderr or outcome.stdout).splitlines() if line.strip()]
    if version is None:
        raise CannotRun(f"{python} is no Python interpreter: {lines[-1][:200] if lines else 'it says nothing'}")
    if (int(version[1]), int(version[2])) < OLDEST:
        raise CannotRun(f"{python} is Python {version[1]}.{version[2]}", "a worker needs Python 3.11 or later")
    if outcome.returncode:
        raise CannotRun(
            f"{python} cannot import numpy, which a worker needs: {lines[-1][:200]}", f"{path} -m pip install numpy"
        )


def find_folder(python: str, candidate: Candidate) -> str:
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
