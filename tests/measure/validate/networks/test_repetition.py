"""Networks that differ from themselves, and those whose answers hold nothing, are not compared."""

from pathlib import Path

import pytest

from infer_bench import validate
from tests.tensor_networks import save_graph

NOISE = (
    "g (float[b, 2, 3] x) => (float[b, 2, 3] y, float[b, 2, 3] z) { r = RandomNormalLike(x) y = Add(x, r) z = Exp(x) }"
)
EMPTY = """g (float[b, 4, 3] x) => (float[b, n, 3] y) {
    zero = Constant<value = int64[1] {0}>() one = Constant<value = int64[1] {1}>() y = Slice(x, zero, zero, one)
}"""


@pytest.mark.parametrize(
    ("graph", "other", "code", "words"),
    [
        (
            NOISE,
            NOISE,
            6,
            "a.onnx draws random numbers (RandomNormalLike): no two answers are alike, so that y cannot be",
        ),
        (NOISE, NOISE.replace("Exp(x)", "Sin(x)"), 4, "requests differ in y, z"),
        (NOISE.replace("r = Rand", "q = Rand").replace("Add(x, r)", "Sin(x)"), NOISE, 6, "b.onnx draws random numbers"),
        (EMPTY, EMPTY, 6, "every output of both sides is empty"),
    ],
)
def test_what_cannot_be_told(tmp_path: Path, graph: str, other: str, code: int, words: str) -> None:
    names = (save_graph(tmp_path / name, text) for name, text in (("a.onnx", graph), ("b.onnx", other)))
    report = validate(*map(str, names), rows=16 if code == 6 else None)
    assert report.verdict is not None
    assert report.verdict.exit_code == code
    assert words in report.verdict.reasons[0]


def test_a_tolerance_that_its_own_answers_keep_compares_it(tmp_path: Path) -> None:
    model = str(save_graph(tmp_path / "a.onnx", NOISE))
    report = validate(model, model, rows=4, atol=50.0)
    assert report.verdict is not None
    assert report.verdict.exit_code == 0
