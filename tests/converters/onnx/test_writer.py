"""Written files hold what they promise: any ensemble's predictions, shapes, labels, metadata, and silence."""

import json
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infer_bench.converters.metadata import SPEC
from infer_bench.converters.onnx.writer import write_onnx
from infer_bench.errors import MissingDependency, NotConvertible
from infer_bench.model import Feature
from infer_bench.trees.ensemble import LEQ, LT, MEMBER, Ensemble, Link, concatenate, empty_nodes, make_nodes
from infer_bench.trees.evaluate import apply_links, labels, score
from tests.converters.running import FORMS, assert_same, canonical, run_file

FEATURES = tuple(Feature(name) for name in ("a", "b", "c"))


def random_tree(rng: np.random.Generator, leaves: int, modes: list[Any], width: int = 1) -> Any:
    """Grow a tree by splitting leaves at random."""
    left, right = [-1], [-1]
    for _ in range(leaves - 1):
        node = int(rng.choice([i for i, child in enumerate(left) if child < 0]))
        left[node], right[node] = len(left), len(left) + 1
        left += [-1, -1]
        right += [-1, -1]
    count = len(left)
    sets = [rng.choice(9, rng.integers(0, 9), replace=False) for _ in range(count)]
    mode = rng.choice(modes, count)
    sizes = np.array(
        [len(s) if m == MEMBER and child >= 0 else 0 for s, m, child in zip(sets, mode, left, strict=True)]
    )
    members = [s for s, size in zip(sets, sizes, strict=True) if size]
    points = rng.choice([-1.5, -0.0, 0.0, 0.1, 1 / 3, 2.0, 1e-36, 3.0, 1e300, -1e300], count)
    return make_nodes(
        feature=rng.integers(0, 3, count),
        threshold=points,
        left=left,
        right=right,
        value=rng.normal(size=(count, width)),
        mode=mode,
        missing_left=rng.random(count) < 0.5,
        zero_missing=(rng.random(count) < 0.3) & (mode == LEQ),
        member_start=np.concatenate(([0], np.cumsum(sizes))),
        members=np.concatenate(members) if members else [],
    )


def random_ensemble(seed: int, outputs: int = 1, vector: bool = False, lt: bool = False) -> Ensemble:
    rng = np.random.default_rng(seed)
    modes = [LT, MEMBER] if lt else [LEQ, LEQ, MEMBER]
    trees = int(rng.integers(1, 6))
    sizes = rng.integers(1, 9, trees)
    nodes, roots = concatenate([random_tree(rng, int(n), modes, outputs if vector else 1) for n in sizes])
    if lt:
        with np.errstate(over="ignore"):
            nodes = replace(nodes, threshold=nodes.threshold.astype(np.float32).astype(np.float64))
    return Ensemble(
        family="sklearn",
        task="regression",
        features=FEATURES,
        nodes=nodes,
        roots=roots,
        output=np.full(trees, -1) if vector else rng.integers(0, outputs, trees),
        base=rng.normal(size=outputs),
        divisor=float(rng.choice([1.0, 3.0])),
        row_dtype="float32" if lt else "float64",
        zero_band=0.0 if lt else float(np.float32(1e-35)),
        rounding="floor" if lt else "truncate",
    )


def oracle(ensemble: Ensemble) -> Any:
    def answer(rows: Any) -> Any:
        scores = score(ensemble, rows)
        predictions = apply_links(ensemble.links, scores)
        names = (
            np.array(ensemble.classes, dtype=object)[labels(ensemble, scores, predictions)]
            if ensemble.classes
            else None
        )
        return predictions, names

    return answer


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 3), st.booleans(), st.booleans())
def test_random_ensembles(seed: int, outputs: int, vector: bool, lt: bool) -> None:
    ensemble = random_ensemble(seed, outputs, vector, lt)
    for precision, opset_ml in FORMS:
        assert_same(ensemble, oracle(ensemble), precision, opset_ml, limit=600)


def test_without_the_onnx_package_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingDependency, match=r"onnx is not installed.*\[convert\]"):
        write_onnx(random_ensemble(0))


def test_float32_rows_of_exact_trees() -> None:
    ensemble = random_ensemble(3)
    model = write_onnx(ensemble, input_dtype="float32", input_name="rows")
    rows = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)
    expected = score(ensemble, rows.astype(float))
    assert np.abs(run_file(model, {"rows": rows})["prediction"] - expected).max() < 1e-14


@pytest.mark.parametrize(("precision", "opset_ml"), FORMS)
@pytest.mark.parametrize("threshold", [0.1, 1 / 3, -0.7, 1e-40, 1e300, -1e300])
def test_strict_comparison_with_a_double(threshold: float, precision: Any, opset_ml: Any) -> None:
    stump = make_nodes(
        feature=[0] * 3, threshold=[threshold] * 3, left=[1, -1, -1], right=[2, -1, -1], value=[0, 1, 2], mode=LT
    )
    ensemble = replace(random_ensemble(0), nodes=stump, roots=np.array([0]), output=np.array([0]), base=np.zeros(1))
    assert_same(replace(ensemble, zero_band=0.0), oracle(replace(ensemble, zero_band=0.0)), precision, opset_ml)


LINKS: list[tuple[tuple[Link, ...], int]] = [
    ((Link("sigmoid", 2.0),), 1),
    ((Link("softmax"),), 3),
    ((Link("exp"),), 1),
    ((Link("softplus"),), 1),
    ((Link("signed-square"),), 1),
    ((Link("sigmoid"), Link("normalise")), 3),
    ((Link("clip", -0.5, 0.5),), 1),
    ((Link("affine", 2.0, -1.0),), 2),
    ((Link("step", 0.25),), 1),
    ((Link("sort", 3),), 3),
]


@pytest.mark.parametrize(("links", "outputs"), LINKS, ids=lambda v: v[0].kind if isinstance(v, tuple) else str(v))
def test_links(links: tuple[Link, ...], outputs: int) -> None:
    ensemble = replace(random_ensemble(5, outputs), links=links)
    for precision, opset_ml in FORMS:
        assert_same(ensemble, oracle(ensemble), precision, opset_ml, limit=400)


@pytest.mark.parametrize("classes", [("no", "yes"), (0, 1), (False, True), (-1, 5), (0.5, 2.0), ("é", "日本")])
@pytest.mark.parametrize("rule", ["argmax", "raw-not-negative"])
@pytest.mark.parametrize("two_outputs", [False, True])
def test_binary_labels(classes: Any, rule: Any, two_outputs: bool) -> None:
    if rule == "raw-not-negative" and two_outputs:
        pytest.skip("one raw score decides")
    ensemble = random_ensemble(11, 2 if two_outputs else 1)
    link = Link("softmax") if two_outputs else Link("sigmoid")
    ensemble = replace(ensemble, task="binary", classes=classes, links=(link,), label_rule=rule)

    def answer(rows: Any) -> Any:
        predictions, names = oracle(ensemble)(rows)
        return predictions[:, 1:] if two_outputs else predictions, names

    for precision, opset_ml in FORMS:
        assert_same(ensemble, answer, precision, opset_ml, limit=300)


def test_a_score_of_exactly_zero_follows_the_rule() -> None:
    leaf = make_nodes(feature=[0], threshold=[0], left=[-1], right=[-1], value=[0.0], mode=LEQ)
    ensemble = replace(random_ensemble(0), nodes=leaf, roots=np.array([0]), output=np.array([0]), base=np.zeros(1))
    ensemble = replace(ensemble, task="binary", classes=("no", "yes"), links=(Link("sigmoid"),))
    rows = {"input": np.zeros((2, 3))}
    assert run_file(write_onnx(ensemble), rows)["label"].tolist() == ["no", "no"]
    ruled = replace(ensemble, label_rule="raw-not-negative")
    assert run_file(write_onnx(ruled), rows)["label"].tolist() == ["yes", "yes"]


def table(scores: Any, score_dtype: Any) -> Ensemble:
    """A binary model of one tree, whose score of a row is the one at the place that the first column says."""
    count = len(scores)
    inner = 2 * np.arange(count - 1)
    left, right = np.full(2 * count - 1, -1), np.full(2 * count - 1, -1)
    left[inner], right[inner] = inner + 1, inner + 2
    values = np.zeros(2 * count - 1)
    values[np.append(inner + 1, 2 * count - 2)] = scores
    chain = make_nodes(
        feature=left * 0, threshold=np.arange(2 * count - 1) / 2, left=left, right=right, value=values, mode=LEQ
    )
    whole = replace(random_ensemble(0), nodes=chain, roots=np.array([0]), output=np.array([0]), base=np.zeros(1))
    whole = replace(whole, task="binary", classes=(0, 1), links=(Link("sigmoid"),), divisor=1.0)
    return replace(whole, score_dtype=score_dtype)


@pytest.mark.parametrize("score_dtype", ["float32", "float64"])
@pytest.mark.parametrize("opset_ml", [3, 5])
def test_float32_probabilities_next_to_a_half_and_next_to_0(score_dtype: Any, opset_ml: Any) -> None:
    """A label is 1 where the probability as float32 rounds it is above 0.5, and small ones keep their digits."""
    scores = np.concatenate((np.arange(-8, 9) * 2.0**-26, np.linspace(-80, -5, 40))).astype(np.float32)
    rows = {"rows": np.arange(len(scores), dtype=np.float32)[:, None] * np.ones((1, 3), np.float32)}
    outputs = run_file(
        write_onnx(table(scores, score_dtype), precision="float32", opset_ml=opset_ml, input_name="rows"), rows
    )
    powers = np.exp(-scores.astype(float)).astype(np.float32)
    expected = np.float32(1) / (np.float32(1) + powers)
    assert outputs["label"].tolist() == (expected > 0.5).astype(int).tolist()
    assert 0 < outputs["label"].sum() < 8
    np.testing.assert_allclose(outputs["probabilities"][:, 1], expected, rtol=5e-7, atol=0)
    np.testing.assert_allclose(outputs["probabilities"][:, 0], 1 - expected, rtol=0, atol=1.5e-7)


@pytest.mark.parametrize("score_dtype", ["float32", "float64"])
def test_infinite_scores_have_probabilities(score_dtype: Any) -> None:
    rows = {"rows": np.arange(3, dtype=np.float32)[:, None] * np.ones((1, 3), np.float32)}
    model = write_onnx(table([-np.inf, 0.25, np.inf], score_dtype), precision="float32", input_name="rows")
    outputs = run_file(model, rows)
    assert outputs["label"].tolist() == [0, 1, 1]
    np.testing.assert_allclose(outputs["probabilities"][[0, 2]], [[1, 0], [0, 1]])


@pytest.mark.parametrize(("precision", "opset_ml"), FORMS)
def test_no_trees_at_all(precision: Any, opset_ml: Any) -> None:
    none = np.zeros(0, np.int64)
    ensemble = replace(random_ensemble(0, 2), nodes=empty_nodes(), roots=none, output=none)
    model = write_onnx(ensemble, precision=precision, opset_ml=opset_ml)
    dtype = np.float64 if precision == "exact" else np.float32
    for rows in (0, 1, 5):
        answer = run_file(model, {"input": np.zeros((rows, 3), dtype)})["prediction"]
        np.testing.assert_allclose(answer, np.tile(ensemble.base, (rows, 1)), atol=1e-7)


@pytest.mark.parametrize("shape", ["left", "right"])
def test_root_whose_branch_and_leaf_would_share_a_number(shape: str) -> None:
    """Every small chain, in both directions, for one to three trees: ONNX Runtime must never take a root for a leaf."""
    for trees in (1, 2, 3):
        for length in range(1, 7):
            inner = np.arange(length) * 2
            count = 2 * length + 1
            left, right = np.full(count, -1), np.full(count, -1)
            left[inner], right[inner] = (inner + 2, inner + 1) if shape == "left" else (inner + 1, inner + 2)
            chain = make_nodes(
                feature=np.zeros(count),
                threshold=np.arange(count) / (2.0 if shape == "right" else -2.0),
                left=left,
                right=right,
                value=np.arange(count) + 1.0,
                mode=LEQ,
            )
            nodes, roots = concatenate([chain] * trees)
            zeros = np.zeros(trees, np.int64)
            ensemble = replace(
                random_ensemble(0), nodes=nodes, roots=roots, output=zeros, base=np.zeros(1), divisor=1.0
            )
            rows = np.linspace(-7, 7, 57)[:, None] * np.ones((1, 3))
            for opset_ml in (3, 5):
                answer = run_file(write_onnx(ensemble, opset_ml=opset_ml), {"input": rows})["prediction"]
                np.testing.assert_array_equal(answer, score(ensemble, rows))
            assert_no_shared_number(write_onnx(ensemble))


def assert_no_shared_number(data: bytes) -> None:
    """Below no node have a leaf and a branch the same number: some versions of ONNX Runtime take them for one leaf."""
    (node,) = [n for n in onnx.load_from_string(data).graph.node if n.op_type == "TreeEnsemble"]
    lists = {attribute.name: np.array(attribute.ints) for attribute in node.attribute if attribute.ints}
    mixed = lists["nodes_trueleafs"] != lists["nodes_falseleafs"]
    assert not np.any(mixed & (lists["nodes_truenodeids"] == lists["nodes_falsenodeids"]))


@pytest.mark.parametrize(("precision", "opset_ml"), FORMS)
@pytest.mark.parametrize("zipmap", [False, True])
@pytest.mark.parametrize("classes", [("x", "y", "z"), ("x", "y")])
def test_shapes_are_true_and_nothing_is_printed(
    precision: Any, opset_ml: Any, zipmap: bool, classes: tuple[str, ...], capfd: Any
) -> None:
    ensemble = replace(random_ensemble(2, 3), task="multiclass", classes=classes, links=(Link("softmax"),))
    if len(classes) == 2:
        ensemble = replace(random_ensemble(2), task="binary", classes=classes, links=(Link("sigmoid"),), divisor=1.0)
    data = write_onnx(ensemble, precision=precision, opset_ml=opset_ml, input_name="rows", zipmap=zipmap)
    model = onnx.load_from_string(data)
    onnx.checker.check_model(model, full_check=True)
    dtype = np.float64 if precision == "exact" else np.float32
    for rows in (0, 1, 7):
        outputs = run_file(data, {"rows": np.ones((rows, 3), dtype)})
        assert outputs["label"].shape == (rows,)
        if zipmap:
            assert [sorted(row) for row in outputs["probabilities"]] == [list(classes)] * rows
        else:
            assert outputs["probabilities"].shape == (rows, len(classes))
            assert outputs["probabilities"].dtype == dtype
    shapes = {out.name: [d.dim_value or None for d in out.type.tensor_type.shape.dim] for out in model.graph.output}
    assert shapes["label"] == [None]
    assert zipmap or shapes["probabilities"] == [None, len(classes)]
    assert capfd.readouterr().err == ""


def test_metadata_says_what_the_file_is() -> None:
    features = (Feature("age"), Feature("city", "category", ("Ulm", "Bonn")))
    ensemble = replace(random_ensemble(2), task="binary", classes=(False, True), links=(Link("sigmoid"),))
    nodes = replace(ensemble.nodes, feature=np.minimum(ensemble.nodes.feature, 1))
    data = write_onnx(replace(ensemble, features=features, nodes=nodes), metadata={"source": {"sha256": "ab"}})
    metadata = {entry.key: json.loads(entry.value) for entry in onnx.load_from_string(data).metadata_props}
    assert metadata[SPEC]["task"] == "binary"
    assert metadata[SPEC]["classes"] == [False, True]
    city = {"name": "city", "kind": "category", "categories": ["Ulm", "Bonn"], "invented": False}
    assert metadata[SPEC]["features"][1] == city
    assert metadata["infer_bench.source"] == {"sha256": "ab"}
    assert metadata["infer_bench.row_dtype"] == "float64"
    assert [i.name for i in onnx.load_from_string(data).graph.input] == ["age", "city"]


def test_what_is_refused() -> None:
    ensemble = random_ensemble(2)
    mixed = replace(ensemble, features=(*FEATURES[:2], Feature("c", "category", ("a", 1))))
    with pytest.raises(NotConvertible, match="'c'"):
        write_onnx(mixed)
    twice = replace(ensemble, features=(Feature("a"), Feature("a"), Feature("c", "category", ("x",))))
    with pytest.raises(NotConvertible, match="one name"):
        write_onnx(twice)
    large = replace(ensemble, features=(*FEATURES[:2], Feature("c", "category", (1, 2**24 + 1))))
    with pytest.raises(NotConvertible, match="float32"):
        write_onnx(large, precision="float32")
    odd = replace(ensemble, task="binary", classes=("a", 1), links=(Link("sigmoid"),))
    with pytest.raises(NotConvertible, match="class labels"):
        write_onnx(odd)
    nowhere = replace(ensemble, nodes=replace(ensemble.nodes, threshold=ensemble.nodes.threshold * np.nan))
    with pytest.raises(NotConvertible, match="NaN"):
        write_onnx(nowhere)
    assert canonical(ensemble, run_file(write_onnx(ensemble), {"input": np.zeros((1, 3))}))[0].shape == (1, 1)
