"""Exported programs as TorchScript: with their shapes, at any size, or refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.engines.torch.network import describe_program
from infer_bench.engines.torch.script import ScriptSession
from infer_bench.engines.torch.signature import FILE, ScriptSignature, read_signature, write_signature
from infer_bench.engines.torch.writer import write_script
from infer_bench.errors import EngineError
from infer_bench.model import TensorInput
from tests.engines.zoo import open_session, ref


def test_what_is_no_signature_is_none() -> None:
    signature = ScriptSignature((TensorInput("x", "float32", ("batch", 3, None), 0),), 2)
    assert read_signature(write_signature(signature)) == signature
    for text in ("", "[]", "{}", '{"inputs": [1], "outputs": 2}', '{"inputs": [["x"]], "outputs": 1}', "[" * 100_000):
        assert read_signature(text) is None


torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")


class Pair(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
    def forward(self, ids: Any, weights: Any) -> Any:
        batch, length = ids.shape
        flat = ids.reshape(batch * length).float()
        return flat.reshape(batch, length) * weights, ids.sum(1)


class Named(Pair):
    def forward(self, ids: Any, weights: Any) -> Any:
        first, second = super().forward(ids, weights)
        return {"first": first, "rest": (second,)}


def export(module: Any) -> Any:
    batch, length = torch.export.Dim("batch"), torch.export.Dim("length")
    arguments = torch.ones(2, 5, dtype=torch.int64), torch.ones(2, 5)
    axes = {0: batch, 1: length}
    return torch.export.export(module.eval(), arguments, dynamic_shapes=(axes, axes))


def test_a_script_of_a_program_keeps_its_shapes_and_frees_its_sizes(tmp_path: Path) -> None:
    program = export(Pair())
    write_script(torch, program, str(tmp_path / "m.pt"))
    session = open_session("torch", ref(tmp_path / "m.pt", "torch", "torchscript"))
    assert isinstance(session, ScriptSession)
    assert session.spec.inputs == describe_program(program).inputs
    inputs: dict[str, Any] = {"ids": np.arange(21).reshape(3, 7), "weights": np.full((3, 7), 2, np.float32)}
    outputs = session.named_outputs(session.predict(session.preprocess(inputs)))
    assert outputs["output_0"].tolist() == (inputs["ids"] * 2).tolist()
    assert outputs["output_1"].tolist() == inputs["ids"].sum(1).tolist()


def test_outputs_keep_their_names(tmp_path: Path) -> None:
    write_script(torch, export(Named()), str(tmp_path / "m.pt"))
    session = open_session("torch", ref(tmp_path / "m.pt", "torch", "torchscript"))
    assert isinstance(session, ScriptSession)
    inputs = {"ids": np.ones((1, 3), np.int64), "weights": np.ones((1, 3), np.float32)}
    outputs = session.named_outputs(session.predict(session.preprocess(inputs)))
    assert {name: array.tolist() for name, array in outputs.items()} == {"first": [[1.0] * 3], "rest.0": [3]}


def test_a_script_of_a_program_of_rows_is_fed_rows(tmp_path: Path) -> None:
    layer, batch = torch.nn.Linear(4, 2).eval(), torch.export.Dim("batch")
    program = torch.export.export(layer, (torch.ones(2, 4),), dynamic_shapes=({0: batch},))
    write_script(torch, program, str(tmp_path / "m.pt"))
    session = open_session("torch", ref(tmp_path / "m.pt", "torch", "torchscript"))
    rows = np.eye(4, dtype=np.float32)
    columns = dict(zip(session.spec.feature_names, rows.T, strict=True))
    answers = session.postprocess(session.predict(session.preprocess(columns)))
    assert answers == pytest.approx(layer(torch.from_numpy(rows)).detach().numpy())


def test_what_a_script_would_answer_otherwise_is_refused(tmp_path: Path) -> None:
    noise = torch.export.export(torch.nn.Dropout(0.5).train(), (torch.ones(50),))
    with pytest.raises(EngineError, match="does not answer as the program does"):
        write_script(torch, noise, str(tmp_path / "m.pt"))
    noise.example_inputs = None
    with pytest.raises(EngineError, match="it takes more than tensors"):
        write_script(torch, noise, str(tmp_path / "m.pt"))


def test_an_extra_file_of_another_module_is_passed_over(tmp_path: Path) -> None:
    script = torch.jit.trace(torch.nn.ReLU(), torch.ones(2))
    other = write_signature(ScriptSignature((TensorInput("other", "int64", (3,)),)))
    torch.jit.save(script, str(tmp_path / "m.pt"), _extra_files={FILE: other})
    session = open_session("torch", ref(tmp_path / "m.pt", "torch", "torchscript"))
    assert [tensor.shape for tensor in session.spec.inputs] == [None]
