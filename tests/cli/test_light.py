"""What is wrong with a command line is said without importing anything that takes long."""

import importlib.metadata
import json
import subprocess
import sys

import pytest

from infer_bench.cli.main import run
from tests.cli.gating import SAMPLES
from tests.cli.test_usage import WRONG

MODEL = str(SAMPLES / "credit.txt")
OTHERS = [
    ["bench"],
    ["bench", "none.txt"],
    ["bench", MODEL, "-e", "nosuch"],
    ["bench", MODEL, "-e", "lightgbm:feed"],
    ["bench", MODEL, "--scenario", "nosuch"],
    ["bench", MODEL, "--max-regression", "5%"],
    ["bench", MODEL, "--against", "x", "--limit", "p99<soon"],
    ["bench", MODEL, "-f", "nosuch"],
    ["bench", MODEL, "-o", "a.svg"],
    ["bench", "--self-test", "--baseline", "x"],
    ["validate", MODEL, "none.txt"],
    ["validate", MODEL, MODEL, "--atol", "-1"],
    ["profile", "none.txt"],
    ["profile", MODEL, "--data", "a", "--input", "b"],
    ["profile", MODEL, "--sort", "nosuch"],
    ["convert", "none.txt"],
    ["convert", MODEL, "--precision", "nosuch"],
    ["show", "none.json"],
]
HEAVY = ("numpy", "pandas", "pyarrow", "rich", "onnx", "onnxruntime", "lightgbm", "sklearn", "scipy", "matplotlib")


def test_a_wrong_command_line_imports_nothing_heavy() -> None:
    lines = [arguments for arguments, _, _ in WRONG.values() if arguments[:1] != ["serve"]] + OTHERS
    code = (
        "import json, sys; from infer_bench.cli.main import run\n"
        "codes = [run(arguments) for arguments in json.loads(sys.argv[1])]\n"
        f"print(json.dumps([codes, [name for name in {HEAVY} if name in sys.modules]]))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, json.dumps(lines)], capture_output=True, text=True, check=True
    )
    codes, heavy = json.loads(process.stdout)
    assert set(codes) <= {2, 6}
    assert heavy == []


def test_engines_reads_no_more_of_what_is_installed_than_it_shows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise AssertionError("everything that is installed was read")

    monkeypatch.setattr(importlib.metadata, "packages_distributions", refuse)
    assert run(["engines"]) == 0
    assert importlib.metadata.version("onnxruntime") in capsys.readouterr().out
