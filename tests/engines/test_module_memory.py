"""PyTorch modules that write to their inputs or to buffers of their own, and those that hand out their own memory."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.errors import EngineError
from infer_bench.workers.tasks.draw_requests import DrawRequests, draw_for_session
from tests.engines.zoo import open_session, ref

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

Save = Callable[[Path, Any, Any], Any]


def open_program(folder: Path, module: Any, example: Any) -> Any:
    torch.export.save(torch.export.export(module.eval(), (example,)), folder / "m.pt2")
    return open_session("torch", ref(folder / "m.pt2", "torch", "torch-pt2"))


def open_traced(folder: Path, module: Any, example: Any) -> Any:
    torch.jit.trace(module.eval(), (example,), check_trace=False).save(str(folder / "m.pt"))
    return open_session("torch", ref(folder / "m.pt", "torch", "torchscript"))


both = pytest.mark.parametrize("save", [open_program, open_traced])


class Doubling(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
    def forward(self, x: Any) -> Any:
        return x[:, 1:].mul_(2).relu_() + 1


class Counting(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(3))

    def forward(self, x: Any) -> Any:
        self.count[:2].add_(1)
        return x + self.count, self.count


@both
def test_a_request_is_not_changed_by_a_module_that_writes_to_its_input(save: Save, tmp_path: Path) -> None:
    session = save(tmp_path, Doubling(), torch.ones(1, 5, 3))
    request = {"x": np.ones((1, 5, 3), np.float32)}
    first, second = (session.named_outputs(session.predict(session.preprocess(request))) for _ in range(2))
    assert request["x"].max() == 1
    assert first["output"].max() == second["output"].max() == 3
    assert session.spec.remarks == ()


def test_neither_are_rows(tmp_path: Path) -> None:
    session = open_program(tmp_path, Doubling(), torch.ones(2, 5))
    rows = np.ones((2, 5), np.float32)
    assert session.postprocess(session.predict(rows)).max() == 3
    assert rows.max() == 1


@both
def test_state_is_named_and_answers_stay_what_they_were(save: Save, tmp_path: Path) -> None:
    session = save(tmp_path, Counting(), torch.ones(1, 2, 3))
    assert [(remark.code, "(count)" in remark.message) for remark in session.spec.remarks] == [("own-state", True)]
    request = {"x": np.ones((1, 2, 3), np.float32)}
    first, second = (session.named_outputs(session.predict(session.preprocess(request))) for _ in range(2))
    assert second["output_1"].max() == first["output_1"].max() + 1
    assert second["output_0"].max() == first["output_0"].max() + 1


@both
def test_an_ordinary_module_keeps_no_state(save: Save, tmp_path: Path) -> None:
    layers = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.ReLU(inplace=True))
    session = save(tmp_path, layers, torch.ones(1, 3, 8, 8))
    assert session.spec.remarks == ()


@both
def test_a_weight_that_is_an_output_needs_no_gradient(save: Save, tmp_path: Path) -> None:
    class Weight(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(3))

        def forward(self, x: Any) -> Any:
            return x * self.weight, self.weight

    session = save(tmp_path, Weight(), torch.ones(1, 2, 3))
    outputs = session.named_outputs(session.predict(session.preprocess({"x": np.ones((1, 2, 3), np.float32)})))
    assert outputs["output_1"].tolist() == [1, 1, 1]


@both
def test_complex_outputs_are_refused(save: Save, tmp_path: Path) -> None:
    class Spectrum(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def forward(self, x: Any) -> Any:
            return torch.fft.rfft(x)

    def run() -> None:
        session = save(tmp_path, Spectrum(), torch.ones(2, 8))
        session.named_outputs(session.predict({"x": np.ones((2, 8), np.float32)}))

    with pytest.raises(EngineError, match="complex64") as caught:
        run()
    assert caught.value.hint == "export torch.view_as_real of it"


class Bag(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
    def __init__(self) -> None:
        super().__init__()
        self.bag = torch.nn.EmbeddingBag(50, 4)

    def forward(self, items: Any, offsets: Any, keep: Any) -> Any:
        return self.bag(items, offsets) * (~keep).unsqueeze(1)


def test_where_bags_begin_and_what_is_negated_are_told_of_both_kinds(tmp_path: Path) -> None:
    arguments = (torch.tensor([1, 2, 3]), torch.tensor([0, 2]), torch.tensor([True, False]))
    torch.export.save(torch.export.export(Bag(), arguments), tmp_path / "m.pt2")
    torch.jit.trace(Bag(), arguments, check_trace=False).save(str(tmp_path / "m.pt"))
    program: Any = open_session("torch", ref(tmp_path / "m.pt2", "torch", "torch-pt2"))
    script: Any = open_session("torch", ref(tmp_path / "m.pt", "torch", "torchscript"))
    assert [tensor.dtype for tensor in script.spec.inputs] == ["int64", "int64", "bool"]
    for session in (program, script):
        uses = session.input_uses()
        assert (uses["items"].high, uses["offsets"].high) == (49, 0)
    rules = {entry.name: entry.rule for entry in draw_for_session(program, DrawRequests(4, 0)).inputs}
    assert rules["offsets"] == "0, where a bag begins"


def test_a_number_of_which_only_the_least_is_known_has_no_limits(tmp_path: Path) -> None:
    class Power(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def forward(self, x: Any, n: int) -> Any:
            return x * n

    shapes = (None, torch.export.Dim.AUTO)
    torch.export.save(torch.export.export(Power(), (torch.ones(1, 2, 3), 4), dynamic_shapes=shapes), tmp_path / "m.pt2")
    session: Any = open_session("torch", ref(tmp_path / "m.pt2", "torch", "torch-pt2"))
    assert session.input_uses()["n"].high is None
