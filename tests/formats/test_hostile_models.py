"""Files that end their library's process, fill the memory or are read otherwise by it are refused beforehand."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from infer_bench.errors import ModelError
from infer_bench.formats.lightgbm.text import check_text, read_header
from infer_bench.formats.xgboost.json import read_xgboost_model
from infer_bench.trees.readers.xgboost import read_xgboost
from tests.formats.conftest import Y3, X, lightgbm, xgboost


def without_sizes(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if not line.startswith("tree_sizes="))


TEXT = without_sizes(lightgbm(objective="multiclass", num_class=3, target=Y3).model_to_string())
LINEAR = without_sizes(lightgbm(linear_tree=True, target=X[:, 1]).model_to_string())
TEXTS: dict[str, tuple[str, str]] = {
    "a line between two trees": (TEXT.replace("\n\nTree=2", "\n0\nTree=2"), "'0' stands behind tree 1"),
    "a tree behind the end": (TEXT.replace("\n\nTree=9", "\nend of trees\nTree=9"), "stands behind its 'end of trees'"),
    "a number that is none": (TEXT.replace("num_class=3", "num_class=1_0"), "'1_0' stands where a whole number"),
    "fewer classes": (TEXT.replace("num_class=3\n", "num_class=2\n"), "2 classes and 3 trees an iteration"),
    "more classes than memory": (
        TEXT[: TEXT.index("Tree=0")].replace("=3\n", "=999999999999\n") + "\nend of trees\n",
        "999999999999 classes",
    ),
    "half linear": (LINEAR.replace("is_linear=1", "is_linear=1.5", 1), "is_linear holds other than 0 or 1"),
    "leaves of a count": (TEXT.replace("num_leaves=", "num_leaves=+", 1), "stands where a whole number is due"),
    "a list behind the lists": (TEXT + "\npandas_categorical:null\n[]", "pandas_categorical is not whole"),
    "a set beyond 32 bits": (
        TEXT.replace("decision_type=2", "decision_type=1", 1),
        "splits on categories and has none",
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_lightgbm(name: str) -> None:
    text, reason = TEXTS[name]
    with pytest.raises(ModelError, match=reason) as caught:
        check_text(text.encode())
    assert "\n" not in str(caught.value)


def test_a_cycle_beside_the_tree() -> None:
    """Each node has one parent, and yet two of them lead to each other and are reached from nowhere."""
    head = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\nfeature_names=a\n\n"
    tree = {
        "num_leaves": "4",
        "num_cat": "0",
        "split_feature": "0 0 0",
        "threshold": "1 2 3",
        "decision_type": "2 2 2",
        "left_child": "-1 2 1",
        "right_child": "-2 -3 -4",
        "leaf_value": "1 2 3 4",
    }
    body = "Tree=0\n" + "".join(f"{key}={value}\n" for key, value in tree.items())
    with pytest.raises(ModelError, match="do not form a tree"):
        check_text((head + body + "\n\nend of trees\n").encode())
    read_header((head + body + "\n\nend of trees\n").encode())


VECTORS = {"target": X[:, :2], "multi_strategy": "multi_output_tree", "tree_method": "hist"}


def edited(change: Callable[[Any, Any], object], **settings: Any) -> bytes:
    """A document with its learner, and its first tree, changed."""
    document = json.loads(xgboost(**settings).save_raw("json"))
    learner = document["learner"]
    change(learner, learner["gradient_booster"]["model"]["trees"][0])
    return json.dumps(document).encode()


DOCUMENTS: dict[str, tuple[bytes, str]] = {
    "two trees of one number": (edited(lambda _, tree: tree.update(id=1)), "tree 0 calls itself tree 1"),
    "no gains": (edited(lambda _, tree: tree.pop("loss_changes")), "tree 0 lacks 'loss_changes'"),
    "no gains of vectors": (edited(lambda _, tree: tree.pop("loss_changes"), **VECTORS), "tree 0 lacks 'loss_changes'"),
    "short weights": (edited(lambda _, tree: tree["sum_hessian"].pop()), "sum_hessian has"),
    "leaves of less than none": (
        edited(lambda _, tree: tree["tree_param"].update(size_leaf_vector="-1")),
        "its leaves hold -1, 1 values",
    ),
    "a parent beyond the tree": (
        edited(lambda _, tree: tree["parents"].__setitem__(-1, 1 << 20), tree_method="exact", gamma=20, max_depth=3),
        "a parent 1048576|names another its parent",
    ),
    "less than no targets": (
        edited(lambda learner, _: learner["learner_model_param"].update(num_target="-1")),
        "-1 targets",
    ),
    "more classes than memory": (
        edited(lambda learner, _: learner["learner_model_param"].update(num_class="9223372036854775808")),
        "9223372036854775808 outputs",
    ),
    "more features than memory": (
        edited(lambda learner, _: learner["learner_model_param"].update(num_feature="999999999999")),
        "999999999999 features",
    ),
    "more nodes than memory": (
        edited(lambda _, tree: tree["tree_param"].update(num_nodes="999999999999")),
        "left_children has",
    ),
    "no parameters": (edited(lambda _, tree: tree.update(tree_param=None)), "where a tree's tree_param is due"),
    "nested numbers": (
        edited(lambda _, tree: tree["loss_changes"].__setitem__(slice(2), [[1, 2]])),
        "loss_changes has",
    ),
    "nested weights": (
        edited(lambda learner, _: learner["gradient_booster"]["model"].update(weight_drop=[[1], [1], [1]])),
        "3 tree weights for 3 trees",
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_xgboost(name: str) -> None:
    document, reason = DOCUMENTS[name]
    with pytest.raises(ModelError, match=reason) as caught:
        read_xgboost_model(document)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("best", ["-3", "x", "1.5"])
def test_a_best_iteration_that_is_none(best: str) -> None:
    document = edited(lambda learner, _: learner["attributes"].update(best_iteration=best))
    with pytest.raises(ModelError, match="best_iteration"):
        read_xgboost(document, trees="best")


def test_a_kind_of_split_that_is_not_known_is_named() -> None:
    document = edited(lambda _, tree: tree["split_type"].__setitem__(0, 9))
    assert read_xgboost_model(document).unknown == ("split_type=9",)


def test_vectors_are_read_as_the_version_wrote_them() -> None:
    """Before 3.2 every node had its values, and no gain stood in the file."""
    document = json.loads(xgboost(**VECTORS).save_raw("json"))
    for tree in document["learner"]["gradient_booster"]["model"]["trees"]:
        del tree["loss_changes"], tree["sum_hessian"], tree["leaf_weights"]
        pairs = zip(tree["left_children"], tree["right_children"], strict=True)
        tree["right_children"] = [-1 if left < 0 else right for left, right in pairs]
    with pytest.raises(ModelError):
        read_xgboost_model(json.dumps(document).encode())
    trees = read_xgboost_model(json.dumps({**document, "version": [3, 1, 0]}).encode()).trees
    assert trees is not None
    first = document["learner"]["gradient_booster"]["model"]["trees"][0]
    assert np.array_equal(trees.value[: trees.nodes[0]].ravel(), np.float32(first["base_weights"]))
