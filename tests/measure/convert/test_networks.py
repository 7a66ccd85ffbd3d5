"""Conversions of networks: other sizes than drawn ones, the comparison, and where the file appears."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper, parser

from infer_bench import convert
from infer_bench.converters.base import ConvertOptions
from infer_bench.data import Table
from infer_bench.engines.base import Session
from infer_bench.errors import NotConvertible
from infer_bench.formats.identify import identify
from infer_bench.measure.convert.networks import files
from infer_bench.measure.convert.networks.comparison import (
    NetworkComparison,
    describe_failure,
    describe_group,
    is_empty,
)
from infer_bench.measure.convert.networks.requests import collect_requests, read_own
from infer_bench.measure.convert.networks.sizes import find_free_axes, find_unvaried, list_other_sizes, name_sizes
from infer_bench.model import ModelSpec, TensorInput
from infer_bench.stats.agreement.limits import Limits
from infer_bench.workers.tasks.draw_requests import DrawRequests, draw_for_session
from infer_bench.workers.tasks.network_outputs import (
    PredictOutputs,
    PredictVariants,
    predict_outputs,
    predict_variants,
)
from tests.engines.zoo import open_session, ref

LIMITS = Limits(1e-4, 1e-5, worst=0, by_rounding=True)
TEXT = (TensorInput("ids", "int64", ("b", "t"), 0), TensorInput("mask", "int64", ("b", "t"), 0))
GRAPH = """<ir_version: 9, opset_import: ["" : 18]>
net (int64[b, t] ids) => (float[b, t, 4] hidden, int64[b, t] best)
{
    hidden = Gather<axis = 0>(table, ids)
    best = ArgMax<axis = -1, keepdims = 0>(hidden)
}"""


def test_sizes_change_batch_and_lengths_together() -> None:
    drawn = {"ids": (1, 16), "mask": (1, 16)}
    axes = find_free_axes(TEXT, drawn)
    sizes = list_other_sizes(TEXT, axes)
    assert sizes == [{"b": 2, "t": 16}, {"b": 3, "t": 18}, {"b": 1, "t": 8}, {"b": 2, "t": 32}]
    assert name_sizes(TEXT, {"ids": (2, 16), "mask": (2, 16)}, drawn) == "ids 2x16"
    assert find_unvaried(axes, sizes[:1]) == [axes[1]]
    fixed = (TensorInput("x", "float32", (1, 3)),)
    assert list_other_sizes(fixed, find_free_axes(fixed, {"x": (1, 3)})) == []


def test_a_size_that_others_follow_changes_with_them() -> None:
    sound = (TensorInput("sound", "float32", ("b", "160*n"), 0), TensorInput("frames", "float32", ("b", "n"), 0))
    axes = find_free_axes(sound, {"sound": (1, 1600), "frames": (1, 10)})
    assert {axis.symbol: axis.size for axis in axes} == {"b": 1, "n": 10}
    assert list_other_sizes(sound, axes)[1] == {"b": 3, "n": 12, "160*n": 1920}
    assert find_free_axes((TensorInput("x", "float32", ("a + b",)),), {"x": (4,)}) == []


class InProcess:
    """Answers as a worker does."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def ask(self, request: Any) -> Any:
        handlers: dict[Any, Any] = {
            PredictOutputs: predict_outputs,
            PredictVariants: predict_variants,
            DrawRequests: draw_for_session,
        }
        return handlers[type(request)](self.session, request)


def open_lookup(folder: Path, fault: float = 0.0) -> InProcess:
    model = parser.parse_model(GRAPH)
    table = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    table[8] += np.float32(fault)
    model.graph.initializer.append(numpy_helper.from_array(table, "table"))
    path = folder / f"{fault}.onnx"
    onnx.save(model, path)
    return InProcess(open_session("onnxruntime", ref(path, "onnx", "onnx")))


def test_both_are_compared_on_drawn_requests_of_several_sizes(tmp_path: Path) -> None:
    original: Any = open_lookup(tmp_path)
    other: Any = open_lookup(tmp_path, 0.5)
    requests = collect_requests(original, original.session.spec, None, "m.onnx")
    assert list(requests.tables) == ["drawn", "ids 2x16", "ids 3x18", "ids 1x8", "ids 2x32"]
    assert [entry.rule for entry in requests.drawn_inputs] == ["0 to 8, a row of table (9 rows)"]
    same, different = (NetworkComparison(original, model, LIMITS) for model in (original, other))
    for name, table in requests.tables.items():
        assert describe_failure(same.compare(name, table)) is None
    group = different.compare("drawn", requests.tables["drawn"])
    assert describe_group(group).failing > 0
    assert not is_empty(group)
    none = {"ids": np.zeros((2, 1, 0), np.int64)}
    assert is_empty(same.compare("data", Table(none)))
    text = describe_failure(group) or ""
    assert text.startswith("the file answers otherwise on ")
    assert "hidden by max |Δ| 5.0e-01, " in text
    with pytest.raises(NotConvertible, match="two runs"):
        collect_requests(_Changing(original.session), original.session.spec, None, "m.onnx")  # type: ignore[arg-type]


class _Changing(InProcess):
    """One of which two runs of a request differ."""

    def __init__(self, session: Any) -> None:
        super().__init__(session)
        self._spec, self._predict, self._count = session.spec, session.predict, 0

    def ask(self, request: Any) -> Any:
        session: Any = self.session
        session.predict = self._predict_otherwise
        try:
            return super().ask(request)
        finally:
            session.predict = self._predict

    def _predict_otherwise(self, inputs: Any) -> Any:
        self._count += 1
        hidden, best = self._predict(inputs)
        return [hidden + np.float32(self._count), best]


def test_a_module_without_shapes_needs_a_request() -> None:
    spec = ModelSpec("raw", (), (), inputs=(TensorInput("image", "float32", None),))
    with pytest.raises(NotConvertible, match="keeps no shapes of its inputs: image") as caught:
        read_own(spec, None, "m.pt")
    assert "--data" in caught.value.hint


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tokens of any length and number, and a scale, to a dict of outputs and a number of values that follows them."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")

    class Text(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.head = torch.nn.Embedding(30, 8), torch.nn.Linear(8, 3)

        def forward(self, ids: Any, options: Any) -> Any:
            hidden = self.embedding(ids) * options["scale"]
            return {"logits": torch.softmax(self.head(hidden.mean(1)), -1), "nothing": None, "large": ids[ids > 20]}

    torch.manual_seed(0)
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
    arguments = (torch.zeros(2, 5, dtype=torch.int32), {"scale": torch.tensor(2.0)})
    shapes = {"ids": axes, "options": {"scale": {}}}
    path = tmp_path_factory.mktemp("torch") / "text.pt2"
    torch.export.save(torch.export.export(Text().eval(), arguments, dynamic_shapes=shapes), path)
    return path


@pytest.mark.filterwarnings("ignore")
def test_a_program_keeps_its_names_and_free_axes_with_its_weights_beside_it(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_INSIDE_BYTES", 0)
    target = tmp_path / "out.onnx"
    (result,) = convert(str(program), str(target)).results
    assert result.failed is None
    first, *others = [group.name for group in result.groups]
    assert (first, len(others)) == ("drawn", 4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.onnx", "out.onnx.data"]
    model = onnx.load(target, load_external_data=False)
    assert {"infer_bench.tensors", "infer_bench.source", "infer_bench.check"} <= {e.key for e in model.metadata_props}
    inputs, outputs = ([value.name for value in values] for values in (model.graph.input, model.graph.output))
    assert (inputs, outputs) == (["ids", "options_scale"], ["logits", "large"])
    assert all(size.dim_param for size in model.graph.input[0].type.tensor_type.shape.dim)
    assert {entry.value for t in model.graph.initializer for entry in t.external_data if entry.key == "location"} == {
        "out.onnx.data"
    }
    session: Any = open_session("onnxruntime", identify(target))
    ids, scale = np.full((4, 7), 25, np.int32), np.float32(1.0)
    answers = session.named_outputs(session.predict(session.preprocess({"ids": ids, "options_scale": scale})))
    assert {name: array.shape for name, array in answers.items()} == {"logits": (4, 3), "large": (28,)}


@pytest.mark.filterwarnings("ignore")
def test_nothing_is_written_where_the_answers_are_not_near_enough(program: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", ids=np.ones((3, 1, 4), np.int32), options_scale=np.full(3, 1e3, np.float32))
    report = convert(
        str(program), str(tmp_path / "out.onnx"), data=str(tmp_path / "x.npz"), options=ConvertOptions(atol=0.0)
    )
    assert report.verdict is not None
    assert (report.verdict.exit_code, report.results[0].output) == (4, None)
    assert report.results[0].groups[0].name == "data"
    assert [path.name for path in tmp_path.iterdir()] == ["x.npz"]
