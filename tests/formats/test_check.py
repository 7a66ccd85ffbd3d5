"""Broken models end in one `ModelError`; whole ones, of every kind, pass."""

import contextlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infer_bench.errors import ModelError
from infer_bench.formats.check import check_structure
from infer_bench.formats.identify import identify
from infer_bench.formats.lightgbm.text import check_text
from infer_bench.formats.ubjson import decode
from tests.formats.conftest import BY_LETTER, FRAME, Y3, X, Y, lightgbm, save_onnx, xgboost

LIGHTGBM: dict[str, dict[str, Any]] = {
    "forest": {"objective": "binary", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
    "classes": {"objective": "multiclass", "num_class": 3, "target": Y3},
    "linear": {"linear_tree": True, "target": X[:, 1]},
    "dart": {"boosting": "dart"},
    "constant": {"target": np.ones(200)},
    "stumps": {"num_leaves": 2},
}
XGBOOST: dict[str, dict[str, Any]] = {
    "classes": {"objective": "multi:softprob", "num_class": 3, "target": Y3},
    "dart": {"booster": "dart"},
    "linear": {"booster": "gblinear"},
    "linear classes": {"booster": "gblinear", "objective": "multi:softprob", "num_class": 3, "target": Y3},
    "targets": {"target": X[:, :2]},
    "vectors": {"target": X[:, :2], "multi_strategy": "multi_output_tree", "tree_method": "hist"},
    "quantiles": {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.5]},
    "pruned": {"tree_method": "exact", "gamma": 2},
    "leaf-wise": {"grow_policy": "lossguide", "max_leaves": 5, "tree_method": "hist"},
    "parallel": {"num_parallel_tree": 3},
    "categories": {"data": FRAME, "target": BY_LETTER, "max_cat_to_onehot": 1},
}


def check(path: Path) -> None:
    check_structure(identify(path))


@pytest.mark.parametrize("name", LIGHTGBM)
def test_whole_lightgbm_models_pass(name: str, tmp_path: Path) -> None:
    lightgbm(**LIGHTGBM[name]).save_model(tmp_path / "model")
    check(tmp_path / "model")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["json", "ubj"])
@pytest.mark.parametrize("name", XGBOOST)
def test_whole_xgboost_models_pass(name: str, form: str, tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(bytes(xgboost(**XGBOOST[name]).save_raw(form)))
    check(tmp_path / "model")


def replace_first(pattern: str, new: str) -> Callable[[bytes], bytes]:
    def change(text: bytes) -> bytes:
        text_after, count = re.subn(pattern.encode(), new.encode(), text, count=1, flags=re.MULTILINE)
        assert count
        return text_after

    return change


def overwrite(pattern: str, new: str) -> Callable[[bytes], bytes]:
    """Replaces a line's value, padded to its length, so that only the content is wrong."""

    def change(text: bytes) -> bytes:
        found = re.search(pattern.encode(), text, re.MULTILINE)
        assert found
        start, stop = found.span(1)
        return text[:start] + new.encode().ljust(stop - start)[: stop - start] + text[stop:]

    return change


def without_tree(text: bytes) -> bytes:
    return text[: text.index(b"Tree=1\n")] + text[text.index(b"Tree=2\n") :]


TEXTS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "half": (lambda text: text[: len(text) // 2], "truncated"),
    "header alone": (lambda text: text[:40], "truncated"),
    "without its end": (lambda text: text[: text.index(b"end of trees")], "truncated"),
    "half its parameters": (lambda text: text[: text.index(b"end of parameters")], "truncated"),
    "half its categories": (lambda text: text[:-5], "pandas_categorical is not whole"),
    "a tree removed": (without_tree, "announces 4 trees and 3 are there"),
    "trees exchanged": (lambda text: text.replace(b"Tree=1\n", b"Tree=9\n"), "tree 1 is missing"),
    "bytes removed": (replace_first(r"^leaf_weight=.*\n", ""), "it was changed"),
    "windows": (lambda text: text.replace(b"\n", b"\r\n"), "CRLF"),
    "wild child": (overwrite(r"^left_child=(.*)$", "90 -1"), "."),
    "cycle": (overwrite(r"^left_child=(\d+)", "0"), "do not form a tree"),
    "wild feature": (overwrite(r"^split_feature=(\d)", "9"), "split_feature 9 is not in"),
    "word": (overwrite(r"^threshold=(...)", "abc"), "threshold holds what is no number"),
    "fewer leaves": (overwrite(r"^num_leaves=(\d)", "5"), "values where"),
    "no leaves": (overwrite(r"^num_leaves=(\d)", "0"), "0 leaves"),
    "features": (replace_first(r"^max_feature_idx=\d+", "max_feature_idx=7"), "names 3 features and counts 8"),
    "iterations": (replace_first(r"^num_tree_per_iteration=1", "num_tree_per_iteration=3"), "not a multiple of 3"),
    "no classes": (replace_first(r"^num_class=.*\n", ""), "lacks num_class"),
    "category bounds": (overwrite(r"^cat_boundaries=0 (\d)", "9"), "cat_boundaries do not fit"),
    "an empty line": (replace_first(r"^(Tree=3)$", r"\1\n"), "it was changed|lacks num_leaves"),
    "a zero byte": (lambda text: text + b"\0", "zero bytes"),
    "a carriage return": (replace_first(r"^\[max_bin: ", "[max_bin: \r"), "CR"),
    "a parameter cut": (replace_first(r"^\[max_bin: .*\]$", "[max_bin"), "max_bin' stands where a parameter"),
    "a parameter without a colon": (replace_first(r"^\[max_bin: ", "[max_bin "), "stands where a parameter"),
    "an empty objective": (replace_first(r"^objective=.*$", "objective="), "no objective"),
    "a word among weights": (overwrite(r"^leaf_weight=(...)", "abc"), "leaf_weight holds what is no number"),
    "a word among gains": (overwrite(r"^split_gain=(.)", "x"), "split_gain holds what is no number"),
    "no count of categories": (overwrite(r"^(num_cat)=", "num_cut"), "lacks num_cat"),
    "a feature's range": (replace_first(r"^feature_infos=(.*):", r"feature_infos=\1]"), "feature_infos are broken"),
    "category missing": (overwrite(r"^num_cat=(\d)", "0"), "."),
}


@pytest.mark.parametrize("name", TEXTS)
def test_broken_lightgbm_text(name: str, lightgbm_text: bytes, tmp_path: Path) -> None:
    change, reason = TEXTS[name]
    (tmp_path / "model").write_bytes(change(lightgbm_text))
    with pytest.raises(ModelError, match=reason) as caught:
        check(tmp_path / "model")
    assert "\n" not in str(caught.value)


def model(document: Any) -> Any:
    return document["learner"]["gradient_booster"]["model"]


def trees(document: Any) -> Any:
    return model(document)["trees"]


def edit(change: Callable[[Any], object]) -> Callable[[bytes], bytes]:
    def apply(text: bytes) -> bytes:
        document = json.loads(text)
        change(document)
        return json.dumps(document).encode()

    return apply


DOCUMENTS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "half": (lambda text: text[: len(text) // 2], "truncated"),
    "a comma": (lambda text: text.replace(b",", b",,", 1), "not JSON"),
    "a tree removed": (edit(lambda d: trees(d).pop()), "announces 3 trees, has 2"),
    "no objective": (edit(lambda d: d["learner"].pop("objective")), "'objective' is missing"),
    "no children": (edit(lambda d: trees(d)[1].pop("left_children")), "tree 1 lacks 'left_children'"),
    "wild child": (edit(lambda d: trees(d)[0]["left_children"].__setitem__(0, 999)), "a child 999"),
    "cycle": (edit(lambda d: trees(d)[0]["left_children"].__setitem__(0, 0)), "do not form a tree"),
    "wild parent": (edit(lambda d: trees(d)[0]["parents"].__setitem__(1, -1)), "names another its parent"),
    "half a split": (edit(lambda d: trees(d)[0]["left_children"].__setitem__(0, -1)), "one child"),
    "wild feature": (edit(lambda d: trees(d)[0]["split_indices"].__setitem__(0, 77)), "a feature 77"),
    "short": (edit(lambda d: trees(d)[0]["split_conditions"].pop()), "values where"),
    "text for a number": (edit(lambda d: trees(d)[0]["left_children"].__setitem__(0, "1")), "whole numbers"),
    "wild class": (edit(lambda d: model(d)["tree_info"].__setitem__(0, 5)), "tree_info 5 is not in"),
    "names": (edit(lambda d: d["learner"]["feature_names"].pop()), "feature_names has 2 entries for 3"),
    "booster": (edit(lambda d: d["learner"]["gradient_booster"].update(name="x")), "unknown booster"),
    "list": (lambda text: b'{"learner": [1]}', "broken XGBoost model"),
    "deep": (lambda text: b'{"learner": ' + b"[" * 100_000, "broken XGBoost model"),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_broken_xgboost_json(name: str, xgboost_json: bytes, tmp_path: Path) -> None:
    change, reason = DOCUMENTS[name]
    (tmp_path / "model").write_bytes(change(xgboost_json))
    with pytest.raises(ModelError, match=reason) as caught:
        check(tmp_path / "model")
    assert "\n" not in str(caught.value)


def test_wild_categories(xgboost_json: bytes, tmp_path: Path) -> None:
    document = json.loads(xgboost_json)
    tree = next(tree for tree in trees(document) if tree["categories_sizes"])
    tree["categories_sizes"][0] = 10_000
    (tmp_path / "model").write_text(json.dumps(document))
    with pytest.raises(ModelError, match="lie outside"):
        check(tmp_path / "model")


def test_ubjson_says_what_json_says() -> None:
    booster = xgboost(FRAME, BY_LETTER)
    assert rounded(decode(bytes(booster.save_raw("ubj")))) == rounded(json.loads(booster.save_raw("json")))


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list | np.ndarray):
        return [rounded(entry) for entry in list(value)]
    return float(np.float32(value)) if isinstance(value, float | np.floating) else value


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_damage_ends_in_a_model_error(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Cut anywhere and change any byte: the checks pass or raise `ModelError`, and nothing else."""
    body = bytearray(data.draw(st.sampled_from(WHOLE)))
    body = body[: data.draw(st.integers(1, len(body)))]
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(bytes(body))
    with contextlib.suppress(ModelError):
        check(path)


WHOLE = [
    lightgbm().model_to_string().encode(),
    bytes(xgboost().save_raw("json")),
    bytes(xgboost().save_raw("ubj")),
]


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9, 0.999])
def test_every_cut_of_a_binary_model_is_noticed(cut: float, tmp_path: Path) -> None:
    body = bytes(xgboost().save_raw("ubj"))
    (tmp_path / "model").write_bytes(body[: int(len(body) * cut)])
    with pytest.raises(ModelError):
        check(tmp_path / "model")


def test_text_without_trees_but_whole_passes() -> None:
    header = b"tree\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\nfeature_names=a\ntree_sizes=\n"
    check_text(header + b"\n\nend of trees\n")


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("../weights", "outside of its folder"),
        ("/etc/passwd", "outside of its folder"),
        ("sub/../../x", "outside of its folder"),
        ("w.data", "not beside it"),
    ],
)
def test_onnx_data_outside(location: str, reason: str, tmp_path: Path) -> None:
    save_onnx(tmp_path / "model", location)
    with pytest.raises(ModelError, match=reason):
        check(tmp_path / "model")


def test_onnx_data_beside_it_passes(tmp_path: Path) -> None:
    (tmp_path / "w.data").write_bytes(bytes(12))
    save_onnx(tmp_path / "model", "w.data")
    check(tmp_path / "model")


def test_onnx_data_in_a_sparse_attribute_is_found(tmp_path: Path) -> None:
    import onnx

    save_onnx(tmp_path / "whole")
    model = onnx.load(tmp_path / "whole")
    sparse = (
        model.graph.node[0].attribute.add(name="sparse_value", type=onnx.AttributeProto.SPARSE_TENSOR).sparse_tensor
    )
    sparse.values.data_location = onnx.TensorProto.EXTERNAL
    sparse.values.external_data.add(key="location", value="../weights")
    (tmp_path / "model").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="outside of its folder"):
        check(tmp_path / "model")


def test_onnx_data_through_a_link_is_outside(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    (folder / "w.data").symlink_to(tmp_path / "secret")
    save_onnx(folder / "model", "w.data")
    with pytest.raises(ModelError, match="outside of its folder"):
        check(folder / "model")


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
def test_truncated_onnx(cut: float, tmp_path: Path) -> None:
    save_onnx(tmp_path / "whole")
    body = (tmp_path / "whole").read_bytes()
    (tmp_path / "model").write_bytes(body[: int(len(body) * cut)])
    with pytest.raises(ModelError, match=r"broken ONNX|without a graph"):
        check(tmp_path / "model")


def test_the_targets_differ() -> None:
    """The models above split: a check on trees without splits would prove nothing."""
    assert lightgbm().dump_model()["tree_info"][0]["num_leaves"] > 2
    assert len(set(Y.tolist())) == 2
