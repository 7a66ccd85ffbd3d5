"""TorchScript modules: what their code tells of inputs, and answers in any structure."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench import validate
from infer_bench.engines.torch.script import ScriptSession
from infer_bench.errors import EngineError, OptionError, UnsafePickle
from infer_bench.model import TensorInput
from infer_bench.request_choices import parse_choices
from infer_bench.workers.tasks.draw_requests import DrawRequests, draw_for_session
from infer_bench.workers.tasks.network_outputs import PredictVariants, predict_variants
from tests.engines.zoo import open_session, ref

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")


class Text(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.head = torch.nn.Embedding(30, 8), torch.nn.Linear(8, 3)

    def forward(self, ids: Any, mask: Any, keep: Any, scale: float = 2.0) -> Any:
        hidden = self.embedding(ids) * (mask != 0).unsqueeze(-1) * scale
        hidden = torch.where(keep.unsqueeze(-1), hidden, torch.zeros_like(hidden))
        return self.head(hidden.mean(1)), (hidden, ids.sum(-1))


def save(folder: Path, module: Any, *arguments: Any) -> Path:
    torch.jit.trace(module.eval(), arguments, strict=False, check_trace=False).save(str(folder / "m.pt"))
    return folder / "m.pt"


def open_script(path: Path, **options: str) -> ScriptSession:
    session = open_session("torch", ref(path, "torch", "torchscript"), **options)
    assert isinstance(session, ScriptSession)
    return session


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    ids = torch.zeros(2, 5, dtype=torch.int64)
    return save(tmp_path_factory.mktemp("script"), Text(), ids, torch.ones_like(ids), ids == 0)


def test_dtypes_are_told_by_use_and_requests_drawn_once_the_rank_is_given(text: Path) -> None:
    session = open_script(text)
    assert [(tensor.name, tensor.dtype, tensor.shape) for tensor in session.spec.inputs] == [
        ("ids", "int64", None),
        ("mask", "int64", None),
        ("keep", "bool", None),
    ]
    choices = parse_choices([f"{name}:2x6" for name in ("ids", "mask", "keep")], [], [])
    requests = draw_for_session(session, DrawRequests(8, 0, choices))
    assert requests.inputs[0].rule == "0 to 29, a row of a table of 30 rows"
    outputs = session.named_outputs(session.predict(session.preprocess({n: c[0] for n, c in requests.columns.items()})))
    assert {name: array.shape for name, array in outputs.items()} == {
        "output_0": (2, 3),
        "output_1": (2, 6, 8),
        "output_2": (2,),
    }
    variants = predict_variants(session, PredictVariants(columns=requests.columns))
    assert (variants.method, variants.is_coarse) == ("float64", False)
    assert 0 < np.abs(variants.shaken[0]["output_0"] - variants.exact["output_0"]).max() < 1e-6


def test_dtypes_may_be_given(text: Path) -> None:
    session = open_script(text, dtypes="int32+float32+bool")
    assert [tensor.dtype for tensor in session.spec.inputs] == ["int32", "float32", "bool"]
    with pytest.raises(OptionError, match="ids, mask, keep"):
        open_script(text, dtypes="int64")


def test_its_code_runs_only_where_that_is_allowed(text: Path) -> None:
    from infer_bench.engines import registry
    from infer_bench.engines.base import check_options

    adapter = registry.get("torch")
    with pytest.raises(UnsafePickle, match="holds code"):
        adapter.open(ref(text, "torch", "torchscript"), check_options(adapter, {}))


def test_training_mode_is_told(tmp_path: Path) -> None:
    torch.jit.trace(torch.nn.Dropout(0.5).train(), (torch.ones(2, 3),), check_trace=False).save(str(tmp_path / "m.pt"))
    session = open_script(tmp_path / "m.pt")
    assert session.spec.inputs == (TensorInput("input", "float32", None),)
    assert [remark.code for remark in session.spec.remarks] == ["training-mode"]


def test_a_request_that_does_not_fit_is_one_line(tmp_path: Path) -> None:
    session = open_script(save(tmp_path, torch.nn.Linear(4, 2), torch.ones(1, 4)))
    with pytest.raises(EngineError, match=r"PyTorch cannot run the module: .*shapes cannot be multiplied") as caught:
        session.predict(session.preprocess({"input": np.ones((1, 3), np.float32)}))
    assert "\n" not in caught.value.message


def test_a_device_that_is_not_there_is_refused(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EngineError, match="device=cuda"):
        open_script(text, device="cuda")


PARTS = """
def forward(self, x):
    parts: List[Tensor] = []
    for _ in range(int(x[0].item())):
        parts.append(x)
    return parts
"""
"""As text: TorchScript takes the comments of a type checker for types of its own."""


def test_what_a_list_holds_is_numbered_however_much_that_is(tmp_path: Path) -> None:
    module = torch.jit.ScriptModule()
    module.define(PARTS)
    module.save(str(tmp_path / "m.pt"))
    session = open_script(tmp_path / "m.pt")
    for count in (1, 2):
        outputs = session.predict(session.preprocess({"x": np.full(3, count, np.float32)}))
        assert list(session.named_outputs(outputs)) == [f"output_{place}" for place in range(count)]


def test_a_module_of_one_matrix_is_read_as_rows_of_so_many_columns(tmp_path: Path) -> None:
    path = save(tmp_path, torch.nn.Linear(4, 3), torch.ones(2, 4))
    session: Any = open_session("torch", ref(path, "torch", "torchscript"), columns="4")
    assert (len(session.spec.features), len(session.spec.outputs)) == (4, 3)
    for columns in ("5", "0", "four"):
        with pytest.raises(OptionError, match="no rows of so many columns"):
            open_script(path, columns=columns)
    mean = save(tmp_path, torch.nn.Flatten(0), torch.ones(2, 4))
    with pytest.raises(OptionError, match="no rows of so many columns"):
        open_script(mean, columns="4")


def test_it_is_compared_with_a_program_of_rows(tmp_path: Path) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh())
    program = torch.export.export(module, (torch.ones(2, 4),), dynamic_shapes=({0: torch.export.Dim("batch")},))
    torch.export.save(program, tmp_path / "m.pt2")
    script = save(tmp_path, module, torch.ones(2, 4))
    with torch.no_grad():
        module[0].bias += 1e-3
    (tmp_path / "other").mkdir()
    other = save(tmp_path / "other", module, torch.ones(2, 4))
    report = validate(str(tmp_path / "m.pt2"), str(script), str(other), rows=50, allow_pickle=True)
    assert [result.different for result in report.results] == [False, True]
