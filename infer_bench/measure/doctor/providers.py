"""Which execution providers ONNX Runtime offers, asked in a process of its own: importing it may fail or hang."""

import json
import subprocess
import sys
from importlib.util import find_spec

from infer_bench.report.doctor import Providers

_TIMEOUT_S = 30.0
_MODULE = "onnxruntime"
_CODE = f"import json, {_MODULE} as ort; print(json.dumps(ort.get_available_providers()))"


def ask_providers(code: str = _CODE, timeout_s: float = _TIMEOUT_S) -> Providers | None:
    """What is offered, or why that cannot be known; None when ONNX Runtime is not installed."""
    if find_spec(_MODULE) is None:
        return None
    try:
        outcome = subprocess.run(
            [sys.executable, "-P", "-c", code],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Providers(problem=f"importing {_MODULE} takes more than {timeout_s:g} s")
    except OSError as error:
        return Providers(problem=f"no process can be started: {error.strerror}")
    if outcome.returncode != 0:
        return Providers(
            problem=f"{_MODULE} cannot be imported: {_last_line(outcome.stderr) or _explain_exit(outcome.returncode)}"
        )
    return _parse_names(_last_line(outcome.stdout))


def _parse_names(line: str) -> Providers:
    try:
        names = json.loads(line)
    except ValueError:
        names = None
    if not isinstance(names, list):
        return Providers(problem=f"{_MODULE} gave no list of its providers")
    return Providers(tuple(map(str, names)))


def _explain_exit(code: int) -> str:
    return f"its process was killed by signal {-code}" if code < 0 else f"its process exited with code {code}"


def _last_line(output: bytes) -> str:
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
