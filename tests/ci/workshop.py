"""A repository with models in it, and a shell to run recipes in."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.ci import stand_in

FEATURES = 8
WORK = {"main": 500, "faster": 0, "slower": 1000}
"""Branch → width of the square matrix that its model multiplies by, for nothing: all answer the same.

They lie so far apart that no load of the machine can turn round which of two is the slower, and no farther: a gate
needs many calls, and a matrix that no cache holds makes each three times as dear.
"""
CompletedScript = subprocess.CompletedProcess[str]


def write_model(path: Path, work: int) -> None:
    """An ONNX file of a sum with weights, and of as much work again as is asked for."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    def constant(name: str, values: Any) -> Any:
        return numpy_helper.from_array(np.asarray(values, dtype=np.float32), name)

    shapes = [(1, work), (work, work), (work, 1)] if work else []
    weights = [constant("w", np.linspace(-1, 1, FEATURES).reshape(-1, 1))]
    weights += [constant(f"w{i}", np.zeros(shape)) for i, shape in enumerate(shapes)]
    names = ["sum", *(f"t{i}" for i in range(len(shapes)))]
    nodes = [helper.make_node("MatMul", ["x", "w"], ["sum"])]
    nodes += [helper.make_node("MatMul", [names[i], f"w{i}"], [names[i + 1]]) for i in range(len(shapes))]
    nodes += (
        [helper.make_node("Add", ["sum", names[-1]], ["y"])] if work else [helper.make_node("Identity", ["sum"], ["y"])]
    )
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, n]) for name, n in (("x", FEATURES), ("y", 1))
    ]
    graph = helper.make_graph(nodes, "sum", ends[:1], ends[1:], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, timeout=600)


def make_origin(folder: Path) -> Path:
    """A repository with a tag, `main`, and a branch a model."""
    (folder / "models").mkdir(parents=True)
    (folder / "data").mkdir()
    rows = np.random.default_rng(0).normal(size=(300, FEATURES)).astype(np.float32)
    pd.DataFrame(rows, columns=[f"x{i}" for i in range(FEATURES)]).to_parquet(folder / "data/rows.parquet")
    (folder / "requirements.txt").write_text("onnxruntime\nnumpy\n", encoding="utf-8")
    git(folder, "init", "-q", "-b", "main")
    for branch, work in WORK.items():
        if branch != "main":
            git(folder, "checkout", "-q", "-b", branch, "main")
        write_model(folder / "models/model.onnx", work)
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", branch)
    git(folder, "tag", "v1", "main")
    return folder


@dataclass(frozen=True)
class Workshop:
    """A clone to work in. `temp` is beside it; `bin` holds the stand-ins and comes first in PATH."""

    folder: Path
    temp: Path
    bin: Path
    log: Path

    @classmethod
    def at(cls, folder: Path, origin: Path) -> "Workshop":
        workshop = cls(folder / "a clone", folder / "temp", folder / "bin", folder / "calls.jsonl")
        workshop.temp.mkdir()
        stand_in.place(workshop.bin)
        workshop.log.touch()
        git(folder, "clone", "-q", str(origin), str(workshop.folder))
        return workshop

    def on(self, branch: str) -> "Workshop":
        git(self.folder, "checkout", "-q", branch)
        return self

    def bash(
        self, script: str, environment: dict[str, str] | None = None, flags: Sequence[str] = ("-e",)
    ) -> CompletedScript:
        """Run a script as a CI service does. Nothing that the tests' own CI service has set is seen."""
        own = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "CI", "INPUT_"))}
        path = f"{self.bin}{os.pathsep}{own['PATH']}"
        env = {**own, "STAND_IN_LOG": str(self.log), "NO_COLOR": "1", **(environment or {}), "PATH": path}
        command = ["bash", "--noprofile", "--norc", *flags, "-c", script]
        return subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=1200, check=False
        )

    def calls(self, *beginning: str) -> list[list[str]]:
        """What was called so far whose first words are these."""
        calls = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [call for call in calls if call[: len(beginning)] == list(beginning)]

    def report(self, name: str = "infer-bench.json") -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def installed(self) -> list[str]:
        """What pip was asked for."""
        calls = [call[call.index("install") + 1 :] for call in self.calls() if "install" in call]
        return [word for call in calls for word in _requirements(call)]


def _requirements(words: Sequence[str]) -> list[str]:
    """The words of `pip install` that are neither options nor the files that they name."""
    argument_places = [i + 1 for i, word in enumerate(words) if word in ("-r", "-c", "--constraint")]
    return [word for i, word in enumerate(words) if not word.startswith("-") and i not in argument_places]
