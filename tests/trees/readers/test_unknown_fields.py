"""A field or a version that a reader does not know may change predictions: it is refused by name, and never guessed.

The file itself is whole: its own library, which may know more, can still run it.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infer_bench.errors import NotConvertible
from infer_bench.formats.check import check_structure
from infer_bench.formats.identify import identify
from infer_bench.trees.readers.lightgbm import read_lightgbm
from infer_bench.trees.readers.xgboost import read_xgboost
from tests.formats.conftest import BY_LETTER, FRAME, lightgbm, xgboost

TEXT = lightgbm(objective="binary").model_to_string()
UNSIZED = "\n".join(line for line in TEXT.split("\n") if not line.startswith("tree_sizes="))
DOCUMENT = json.loads(bytes(xgboost(FRAME, BY_LETTER).save_raw("json")))
MODEL = ("learner", "gradient_booster", "model")

TEXTS = {
    "the header's 'offset'": UNSIZED.replace("\nmax_feature_idx", "\noffset=1\nmax_feature_idx"),
    "the header's 'scale_output'": UNSIZED.replace("\nmax_feature_idx", "\nscale_output\nmax_feature_idx"),
    "version=v5": UNSIZED.replace("version=v4", "version=v5"),
    "version=": UNSIZED.replace("version=v4\n", ""),
    "the objective's 'power'": UNSIZED.replace("sigmoid:1", "sigmoid:1 power:2"),
    "tree 1's 'leaf_scale'": UNSIZED.replace("\nTree=1\n", "\nTree=1\nleaf_scale=2\n"),
    "tree 2's 'is_gated'": UNSIZED.replace("\nTree=2\n", "\nTree=2\nis_gated\n"),
    "decision_type=14": UNSIZED.replace("decision_type=2", "decision_type=14"),
    "decision_type=16": UNSIZED.replace("decision_type=2", "decision_type=16"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_lightgbm(name: str, tmp_path: Path) -> None:
    assert TEXTS[name] != UNSIZED
    with pytest.raises(NotConvertible, match="holds " + name) as caught:
        read_lightgbm(TEXTS[name])
    assert "update infer-bench" in caught.value.hint
    (tmp_path / "model").write_text(TEXTS[name])
    check_structure(identify(tmp_path / "model"))


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_lightgbm_reads_older_versions_alike(version: str) -> None:
    older = read_lightgbm(UNSIZED.replace("version=v4", f"version={version}"))
    assert older.nodes.value.tobytes() == read_lightgbm(TEXT).nodes.value.tobytes()


def adding(*path: Any) -> Callable[[Any], Any]:
    """A copy of a document with a value at `path`."""

    def change(document: Any) -> Any:
        copy = json.loads(json.dumps(document))
        entry = copy
        for key in path[:-1]:
            entry = entry[key]
        entry[path[-1]] = [1]
        return copy

    return change


DOCUMENTS = {
    "the document's 'offset'": adding("offset"),
    "the learner's 'scaler'": adding("learner", "scaler"),
    "learner_model_param's 'temperature'": adding("learner", "learner_model_param", "temperature"),
    "objective's 'link_param'": adding("learner", "objective", "link_param"),
    "gradient_booster's 'shrinkage'": adding("learner", "gradient_booster", "shrinkage"),
    "the booster's model's 'weight_keep'": adding(*MODEL, "weight_keep"),
    "gbtree_model_param's 'average'": adding(*MODEL, "gbtree_model_param", "average"),
    "cats's 'unseen'": adding(*MODEL, "cats", "unseen"),
    "tree 1's 'linear_weights'": adding(*MODEL, "trees", 1, "linear_weights"),
    "tree 0's 'size_gate_vector'": adding(*MODEL, "trees", 0, "tree_param", "size_gate_vector"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_xgboost(name: str, tmp_path: Path) -> None:
    text = json.dumps(DOCUMENTS[name](DOCUMENT))
    with pytest.raises(NotConvertible, match="holds " + name):
        read_xgboost(text)
    (tmp_path / "model").write_text(text)
    check_structure(identify(tmp_path / "model"))


def test_xgboost_reads_what_only_its_first_json_files_hold() -> None:
    older = adding(*MODEL, "trees", 0, "leaf_child_counts")(DOCUMENT)
    newest = read_xgboost(json.dumps(DOCUMENT))
    assert read_xgboost(json.dumps(older)).nodes.value.tobytes() == newest.nodes.value.tobytes()


def test_xgboost_of_a_newer_version_is_read_when_nothing_in_it_is_new() -> None:
    assert (
        read_xgboost(json.dumps(DOCUMENT)).notes == read_xgboost(json.dumps({**DOCUMENT, "version": [3, 4, 9]})).notes
    )
    newer = read_xgboost(json.dumps({**DOCUMENT, "version": [9, 1, 0]}))
    assert any("XGBoost 9.1.0, newer than 3.4" in note for note in newer.notes)
