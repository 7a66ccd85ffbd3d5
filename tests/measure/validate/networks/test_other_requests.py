"""Networks that go wrong only for what nobody draws at first: padding, long texts, numbers above 1, batches, states."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench import validate
from tests.tensor_networks import IMAGES, TOKENS, VOICE, image_weights, images, save_graph

RANDOM = np.random.default_rng(0)
TOKEN_WEIGHTS = {
    "table": RANDOM.normal(0, 1.0, (300, 32)).astype(np.float32),
    "w": RANDOM.normal(0, 0.3, (32, 3)).astype(np.float32),
}
VOICE_WEIGHTS = {
    "v": RANDOM.normal(0, 1.0, (1, 16)).astype(np.float32),
    "u": RANDOM.normal(0, 0.5, (16, 1)).astype(np.float32),
}
CUT = """from = Constant<value = int64[1] {0}>()
    to = Constant<value = int64[1] {128}>()
    place = Constant<value = int64[1] {1}>()
    short = Slice(ids, from, to, place)
    shortMask = Slice(mask, from, to, place)
    words = Gather(table, short)
    weights = Cast<to = 1>(shortMask)"""
BATCH_MEAN = """d = Flatten(c)
    mean = ReduceMean<axes = [0], keepdims = 1>(d)
    far = Sub(d, mean)
    tenth = Constant<value = float {0.1}>()
    part = Mul(far, tenth)
    moved = Add(d, part)
    e = MatMul(moved, w)"""
FAULTS = {
    "varied": (TOKENS, "Mul(words, column)", "Identity(words)", TOKEN_WEIGHTS),
    "larger": (
        TOKENS,
        "words = Gather(table, ids)\n    weights = Cast<to = 1>(mask)",
        CUT,
        TOKEN_WEIGHTS,
    ),
    "varied image": (
        IMAGES,
        "a = Conv(image, kernel)",
        "i = Clip(image, no, yes) a = Conv(i, kernel)",
        image_weights(),
    ),
    "stacked": (IMAGES, "d = Flatten(c)\n    e = MatMul(d, w)", BATCH_MEAN, image_weights()),
    "varied state": (
        VOICE,
        "next = Add(state, rows)",
        "none = Sub(state, state) next = Add(none, rows)",
        VOICE_WEIGHTS,
    ),
}


def _groups(report: Any) -> dict[str, int]:
    (result,) = report.results
    return {group.name: group.failing for group in result.groups}


@pytest.mark.parametrize("kind", list(FAULTS))
def test_what_goes_wrong_for_other_requests_only_is_found(tmp_path: Path, kind: str) -> None:
    graph, part, other, weights = FAULTS[kind]
    assert part in graph
    limits = {"no": np.array(0, np.float32), "yes": np.array(1, np.float32)} if "Clip" in other else {}
    good = save_graph(tmp_path / "good.onnx", graph, weights)
    bad = save_graph(tmp_path / "bad.onnx", graph.replace(part, other), {**weights, **limits})
    report = validate(str(good), str(bad))
    failing = {name for name, count in _groups(report).items() if count}
    assert kind.split()[0] in failing
    assert "drawn" not in failing
    assert report.verdict is not None
    assert report.verdict.exit_code == 4
    assert set(_groups(validate(str(good), str(good))).values()) == {0}


def test_requests_of_the_users_are_stacked_too_where_they_can_be(tmp_path: Path) -> None:
    graph, part, other, weights = FAULTS["stacked"]
    good = str(save_graph(tmp_path / "good.onnx", graph, weights))
    bad = str(save_graph(tmp_path / "bad.onnx", graph.replace(part, other), weights))
    np.savez(tmp_path / "images.npz", image=images(3))
    data = str(tmp_path / "images.npz")
    assert _groups(validate(good, bad, data=data)) == {"data": 0, "stacked": 2}
    assert _groups(validate(good, bad, data=data, probes="off")) == {"data": 0}


def test_a_form_for_one_request_at_a_time_is_the_same_with_a_note(tmp_path: Path) -> None:
    good = save_graph(tmp_path / "good.onnx", IMAGES, image_weights())
    single = save_graph(tmp_path / "single.onnx", IMAGES.replace("batch, 3", "1, 3"), image_weights())
    report = validate(str(good), str(single))
    assert _groups(report) == {"drawn": 0, "varied": 0}
    (notice,) = (notice for notice in report.notices if notice.code == "refuses-others")
    assert "single.onnx refuses 2 stacked requests that the reference answers" in notice.message
    assert report.verdict is not None
    assert report.verdict.exit_code == 0


def test_what_has_no_batch_axis_is_the_first_requests_where_some_are_stacked(tmp_path: Path) -> None:
    graph = "g (float[batch, 4, 4] x, float rate) => (float[batch, 4, 4] y) { y = Mul(x, rate) }"
    model = str(save_graph(tmp_path / "model.onnx", graph))
    assert _groups(validate(model, model)) == {"drawn": 0, "varied": 0, "stacked": 0}
