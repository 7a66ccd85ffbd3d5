"""PyTorch exported programs against PyTorch's own predictions, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.converters.torch.export import convert_torch
from infer_bench.converters.torch.programs import load_program
from infer_bench.errors import ModelError, NotConvertible
from tests.converters.running import open_session

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytestmark = pytest.mark.filterwarnings("ignore")


def network() -> Any:
    torch.manual_seed(0)
    layers = [torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3), torch.nn.Softmax(1)]
    return torch.nn.Sequential(*layers).eval()


@pytest.fixture(scope="module")
def program_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("torch") / "model.pt2"
    batch = {0: torch.export.Dim("batch")}
    torch.export.save(torch.export.export(network(), (torch.randn(3, 4),), dynamic_shapes=(batch,)), str(path))
    return path


def test_answers_as_pytorch_at_any_batch(program_file: Path) -> None:
    session, program = open_session(convert_torch(program_file)), load_program(program_file)
    for batch in (0, 1, 7, 300):
        rows = np.random.default_rng(0).normal(size=(batch, 4)).astype(np.float32)
        predictions = session.run(None, {session.get_inputs()[0].name: rows})
        with torch.no_grad():
            own = program.module()(torch.from_numpy(rows)).numpy()
        np.testing.assert_allclose(predictions[0], own, atol=1e-6)


def test_refuses_a_fixed_batch() -> None:
    with pytest.raises(NotConvertible, match="fixed batch of 3"):
        convert_torch(torch.export.export(network(), (torch.randn(3, 4),)))


def test_refuses_pickles_without_opening_them(tmp_path: Path) -> None:
    for value in (network(), network().state_dict()):
        torch.save(value, tmp_path / "model.pt2")
        with pytest.raises(ModelError, match="state dict"):
            load_program(tmp_path / "model.pt2")


def test_a_file_that_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "model.pt2").write_bytes(b"nothing")
    with pytest.raises(NotConvertible, match="no PyTorch"):
        load_program(tmp_path / "model.pt2")
    with pytest.raises(ModelError, match="exist"):
        load_program(tmp_path / "missing.pt2")
