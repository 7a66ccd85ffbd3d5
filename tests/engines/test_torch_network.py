"""Exported programs of any signature: tensors of any rank, several inputs and outputs, structures and constants."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.engines.torch import network, rounding
from infer_bench.engines.torch.network import TorchNetworkSession, describe_program
from infer_bench.errors import EngineError, OptionError
from infer_bench.model import TensorInput
from infer_bench.workers.tasks.draw_requests import DrawRequests, draw_for_session
from infer_bench.workers.tasks.network_outputs import (
    PredictOutputs,
    PredictVariants,
    predict_outputs,
    predict_variants,
)
from tests.engines.zoo import open_session, ref

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")


class Text(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
    """Ids and a mask to a dict of outputs, one of them a pair."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.head = torch.nn.Embedding(30, 8), torch.nn.Linear(8, 3)

    def forward(self, ids: Any, options: Any) -> Any:
        """Scale by a constant, and leave out what is masked."""
        hidden = self.embedding(ids.to(torch.int64)) * options["mask"].unsqueeze(-1) * options["scale"]
        return {"logits": self.head(hidden.mean(1)), "hidden": (hidden, ids.sum(-1))}


def save(folder: Path, module: Any, arguments: tuple[Any, ...], shapes: Any) -> TorchNetworkSession:
    program = torch.export.export(module.eval(), arguments, dynamic_shapes=shapes)
    torch.export.save(program, folder / "m.pt2")
    session = open_session("torch", ref(folder / "m.pt2", "torch", "torch-pt2"))
    assert isinstance(session, TorchNetworkSession)
    return session


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> TorchNetworkSession:
    batch, tokens = torch.export.Dim("batch"), torch.export.Dim("tokens")
    axes = {0: batch, 1: tokens}
    arguments = (torch.zeros(2, 5, dtype=torch.int32), {"mask": torch.ones(2, 5), "scale": 2.0})
    folder = tmp_path_factory.mktemp("torch")
    return save(folder, Text(), arguments, {"ids": axes, "options": {"mask": axes, "scale": None}})


def test_inputs_and_outputs_have_names_types_and_free_axes(text: TorchNetworkSession) -> None:
    ids, mask = text.spec.inputs
    assert (ids.name, ids.dtype, ids.batch_axis, mask.dtype) == ("ids", "int32", 0, "float32")
    assert ids.shape == mask.shape
    assert all(isinstance(size, str) for size in ids.shape or (1,))
    assert text.spec.output_names == ("logits", "hidden.0", "hidden.1")


def test_requests_are_answered_in_any_free_size(text: TorchNetworkSession) -> None:
    ids, mask = text.spec.inputs
    for shape in ((1, 5), (3, 7)):
        request = {ids.name: np.ones(shape, np.int32), mask.name: np.ones(shape, np.float32)}
        outputs = text.predict(text.preprocess(request))
        arrays = text.named_outputs(outputs)
        assert {name: array.shape for name, array in arrays.items()} == {
            "logits": (shape[0], 3),
            "hidden.0": (*shape, 8),
            "hidden.1": (shape[0],),
        }
        assert arrays["hidden.1"].dtype == np.int64
        assert text.postprocess(outputs).shape == (1, shape[0] * (3 + shape[1] * 8 + 1))
    with pytest.raises(EngineError, match="the input is ids int32"):
        text.predict(text.preprocess({ids.name: np.ones(5, np.int32), mask.name: np.ones((1, 5), np.float32)}))


def test_drawn_ids_are_rows_of_the_embedding(text: TorchNetworkSession) -> None:
    requests = draw_for_session(text, DrawRequests(8, 0))
    assert requests.inputs[0].rule.startswith("0 to 29, a row of ")
    assert requests.inputs[0].shapes == ((1, 16),)
    assert requests.columns["ids"].max() in range(20, 30)


def test_what_it_rounds_is_known_from_float64_and_from_numbers_an_ulp_off(text: TorchNetworkSession) -> None:
    requests = draw_for_session(text, DrawRequests(4, 0))
    variants = predict_variants(text, PredictVariants(columns=requests.columns))
    own = predict_outputs(text, PredictOutputs(columns=requests.columns)).outputs["logits"]
    assert (variants.method, variants.is_coarse, variants.exact["logits"].dtype.name) == ("float64", False, "float64")
    assert 0 < np.abs(own - variants.exact["logits"]).max() < 1e-6
    assert 0 < np.abs(variants.shaken[0]["logits"] - variants.exact["logits"]).max() < 1e-6
    noise = text.rounding_runs("noise")
    inputs = text.preprocess({name: column[0] for name, column in requests.columns.items()})
    draws = [draw["logits"] for draw in noise.shaken(inputs)]
    assert noise.exact(inputs) is None
    assert 0 < max(np.abs(draw - own[0]).max() for draw in draws) < 1e-6


def test_weights_of_bfloat16_are_moved_by_an_ulp_of_theirs(tmp_path: Path) -> None:
    class Half(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(8, 3).bfloat16()

        def forward(self, x: Any) -> Any:
            return self.layer(x.bfloat16()).float()

    session = save(tmp_path, Half(), (torch.ones(1, 2, 8),), None)
    requests = draw_for_session(session, DrawRequests(4, 0))
    variants = predict_variants(session, PredictVariants(columns=requests.columns))
    assert (variants.method, variants.is_coarse) == ("noise", True)
    assert np.abs(variants.shaken[0]["output"] - variants.shaken[1]["output"]).max() > 1e-4


def test_a_scalar_a_fixed_batch_and_bfloat16(tmp_path: Path) -> None:
    class Scaled(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def forward(self, x: Any, rate: Any) -> Any:
            return x / rate, (x * rate).to(torch.bfloat16)

    session = save(tmp_path, Scaled(), (torch.ones(1, 2, 3), torch.tensor(2)), None)
    assert session.spec.inputs == (TensorInput("x", "float32", (1, 2, 3)), TensorInput("rate", "int64", ()))
    request = {"x": np.ones((1, 2, 3), np.float32), "rate": np.array(4)}
    arrays = session.named_outputs(session.predict(session.preprocess(request)))
    assert {name: array.flat[0] for name, array in arrays.items()} == {"output_0": 0.25, "output_1": 4.0}
    session.close()
    with pytest.raises(EngineError, match="closed"):
        session.predict(request)


def test_an_input_of_bfloat16_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="bfloat16"):
        save(tmp_path, torch.nn.ReLU(), (torch.ones(1, 2, 3, dtype=torch.bfloat16),), None)


def test_a_number_is_drawn_from_the_range_that_the_program_was_exported_for(tmp_path: Path) -> None:
    class First(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def forward(self, x: Any, n: Any) -> Any:
            return x[:, :n] * n

    session = save(tmp_path, First(), (torch.ones(2, 9, 4), 5), ({0: torch.export.Dim.AUTO}, torch.export.Dim.AUTO))
    requests = draw_for_session(session, DrawRequests(4, 0))
    assert requests.inputs[1].rule == "0 to 9, as the program was exported for"


def test_dtypes_of_a_program_are_its_own(tmp_path: Path) -> None:
    torch.export.save(torch.export.export(torch.nn.ReLU(), (torch.ones(1, 2, 3),)), tmp_path / "m.pt2")
    with pytest.raises(OptionError, match=r"dtypes: m\.pt2 keeps its own"):
        open_session("torch", ref(tmp_path / "m.pt2", "torch", "torch-pt2"), dtypes="int64")


def test_what_it_rounds_is_computed_where_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the device that computes nothing: there is a GPU on no machine of the tests."""
    torch.export.save(torch.export.export(torch.nn.Conv1d(2, 2, 1), (torch.ones(1, 2, 3),)), tmp_path / "m.pt2")
    program = torch.export.load(tmp_path / "m.pt2")
    session = TorchNetworkSession(torch, program, describe_program(program), program.module(), "meta")
    makers: list[Any] = []
    monkeypatch.setattr(network, "open_rounding_runs", lambda _, modules, *__: makers.extend(modules))
    session.rounding_runs("noise")
    assert [next(make().parameters()).device.type for make in makers] == ["meta", "meta"]
    weight = torch.ones(3, dtype=torch.bfloat16, device="meta")
    rounding._move_bits(torch, weight, lambda array, _: array, "weight")
    assert weight.device.type == "meta"


def test_what_it_declares_of_its_outputs_is_what_it_gives(text: TorchNetworkSession) -> None:
    assert [(tensor.name, tensor.dtype, len(tensor.shape or ())) for tensor in text.declared_outputs] == [
        ("logits", "float32", 2),
        ("hidden.0", "float32", 3),
        ("hidden.1", "int64", 1),
    ]
