"""The server as an image holds it: the same options, and nothing imported that is not in the image."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from typer.main import get_command

from infer_bench.cli.app import build_app
from infer_bench.cli.image import main, make_parser

ROOT = Path(__file__).parents[2]
DOCKERFILES = [ROOT / "docker" / name for name in ("Dockerfile", "Dockerfile.gpu")]
PACKAGES = [
    line
    for line in (ROOT / "docker" / "packages.txt").read_text(encoding="utf-8").split("\n")
    if line and line[0] != "#"
]
INSTALLED = (
    *("httptools", "msgspec", "numpy", "onnxruntime", "prometheus_client", "starlette", "uvicorn", "uvloop"),
    *("anyio", "click", "flatbuffers", "google", "h11", "idna", "packaging", "typing_extensions"),
)
"""The modules of those packages and of what they need themselves."""
LEAN = """
import importlib.abc, sys

class OnlyInstalled(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {*INSTALLED, *sys.stdlib_module_names, "infer_bench"}:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name.partition(".")[0])

sys.meta_path.insert(0, OnlyInstalled())
import asyncio
from infer_bench.cli import image
from infer_bench.cli.runs import serve
from infer_bench.serving import application
from infer_bench.serving.processes import worker

app = application(sys.argv[1], sys.argv[1], shadow=0.5)
answers = []

async def ask(method, path, body=b""):
    scope = {"type": "http", "method": method, "path": path, "headers": [], "root_path": "", "query_string": b""}
    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}
    async def send(message):
        answers.append(message.get("status", message.get("body")))
    await app({**scope, "scheme": "http", "server": ("x", 1)}, receive, send)

record = b'{"f0": 1, "f1": 0}'
asyncio.run(ask("POST", "/predict", record))
for path in ("/metrics", "/docs", "/v2"):
    asyncio.run(ask("GET", path))
assert answers[0::2] == [200] * 4, answers
app.close()
"""


def test_it_takes_the_options_of_the_command() -> None:
    command: Any = get_command(build_app()).commands["serve"]  # type: ignore[attr-defined]
    theirs = {parameter.name: parameter.default for parameter in command.params if parameter.name != "help"}
    ours = vars(make_parser().parse_args(["MODEL"]))
    assert ours == {**theirs, "model": "MODEL"}
    options = {flag for parameter in command.params for flag in parameter.opts if flag.startswith("--")}
    assert options - {"--help"} == {f"--{name.replace('_', '-')}" for name in ours if name != "model"}


@pytest.mark.parametrize(("arguments", "code"), [(["none.onnx"], 6), (["none.onnx", "--workers", "0"], 2)])
def test_it_ends_as_the_command_does(arguments: list[str], code: int, capsys: Any) -> None:
    assert main([*arguments, "--port", "0"]) == code
    assert capsys.readouterr().err.startswith("error: ")


def test_nothing_else_is_imported(animals: Path) -> None:
    command = [sys.executable, "-c", f"INSTALLED = {INSTALLED!r}\n{LEAN}", str(animals)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, check=False)
    assert process.returncode == 0, process.stderr


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("debootstrap") is None, reason="no root with debootstrap")
def test_the_root_file_system_serves_as_the_image_does(animals: Path) -> None:
    command = [str(ROOT / "docker" / "check"), str(animals)]
    environment = {**os.environ, "PYTHON": sys.executable}
    process = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    size = re.search(r"without infer-bench (\d+) MB", process.stdout)
    assert size is not None
    assert int(size[1]) <= 170


def test_every_package_is_pinned() -> None:
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    names = {Requirement(pin).name for pin in pins if not pin.startswith("#")}
    assert set(PACKAGES) <= names
    assert {name.replace("-", "_") for name in PACKAGES} <= set(INSTALLED)


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_an_image_is_made_of_what_there_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE):
        assert all((ROOT / source).exists() for source in line.split())
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    assert "HEALTHCHECK" in text
    (entry,) = re.findall(r"^ENTRYPOINT \[(.*)\]$", text, re.MULTILINE)
    words = [word.strip('" ') for word in entry.split(",")]
    assert words[1:3] == ["-m", "infer_bench.cli.image"]
    options = make_parser().parse_args([*words[3:], "model.onnx"])
    assert options.host == "0.0.0.0"
