"""What the readers say of a file is the same however it is stored, and with or without the quicker parser."""

import dataclasses
import json
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.errors import ModelError
from infer_bench.formats.lightgbm.text import read_header, read_lightgbm_text
from infer_bench.formats.numbers import parse_floats, parse_integers
from infer_bench.formats.ubjson import decode
from infer_bench.formats.xgboost.json import XGBoostModel, outline, read_xgboost_model
from tests.formats.conftest import BY_LETTER, FRAME, lightgbm, xgboost
from tests.formats.test_check import LIGHTGBM, XGBOOST


def same(one: Any, other: Any) -> None:
    """Equal values in all fields, arrays bit by bit."""
    if dataclasses.is_dataclass(one):
        for field in dataclasses.fields(one):
            same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()
    else:
        assert one == other


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", XGBOOST)
def test_xgboost_says_the_same_in_every_form(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    booster = xgboost(**XGBOOST[name])
    text = bytes(booster.save_raw("json"))
    model = read_xgboost_model(text)
    assert model.unknown == ()
    same(model, read_xgboost_model(json.dumps(json.loads(text), indent=1).encode()))
    same(model, read_xgboost_model(bytes(booster.save_raw("ubj"))))
    same(model.outline, outline(json.loads(booster.save_config())["learner"]))
    monkeypatch.setitem(sys.modules, "msgspec", None)
    same(model, read_xgboost_model(text))


@pytest.mark.parametrize("name", [*LIGHTGBM, "categories"])
def test_lightgbm_says_the_same_with_either_parser(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = LIGHTGBM.get(name, {"data": FRAME, "target": BY_LETTER, "min_data_per_group": 1, "cat_smooth": 0})
    text = lightgbm(**settings).model_to_string().encode()
    model = read_lightgbm_text(text)
    assert model.unknown == ()
    same(model.header, read_header(text))
    monkeypatch.setitem(sys.modules, "msgspec", None)
    same(model, read_lightgbm_text(text))


def test_dart_is_dart_wherever_its_weights_stand() -> None:
    document = json.loads(xgboost(booster="dart", rate_drop=0.5, one_drop=1).save_raw("json"))
    booster = document["learner"]["gradient_booster"]
    model = booster.get("gbtree", booster)["model"]
    weights = booster.pop("weight_drop", None) or model.pop("weight_drop")
    older = {"name": "dart", "gbtree": {"name": "gbtree", "model": model}, "weight_drop": weights}
    newer = {"name": "gbtree", "model": {**model, "weight_drop": weights}}
    models = [read_with_booster(document, entry) for entry in (older, newer)]
    same(models[0].trees, models[1].trees)
    assert models[0].trees is not None
    assert models[0].trees.weight is not None
    assert np.array_equal(models[0].trees.weight, weights)
    with pytest.raises(ModelError, match="2 tree weights for 3 trees"):
        read_with_booster(document, {"name": "gbtree", "model": {**model, "weight_drop": weights[:2]}})


def read_with_booster(document: Any, booster: Any) -> XGBoostModel:
    return read_xgboost_model(
        json.dumps({**document, "learner": {**document["learner"], "gradient_booster": booster}}).encode()
    )


@given(st.lists(st.floats(allow_nan=False), max_size=20))
def test_floats_have_equal_bits(values: list[float]) -> None:
    text = ",".join(map(repr, values)).encode()
    with pytest.MonkeyPatch.context() as patch:
        quick = parse_floats(text)
        patch.setitem(sys.modules, "msgspec", None)
        assert quick.tobytes() == parse_floats(text).tobytes() == np.array(values, np.float64).tobytes()


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
def test_integers_are_exact(values: list[int]) -> None:
    text = ",".join(map(str, values)).encode()
    with pytest.MonkeyPatch.context() as patch:
        quick = parse_integers(text)
        patch.setitem(sys.modules, "msgspec", None)
        assert quick.tolist() == parse_integers(text).tolist() == values


@pytest.mark.parametrize(
    "text", [b"1,x", b"1,,2", b"1 2", b"1,", b",1", b"1_0", b"0x1", b"[1]", b'"1"', b"1,2]", b"true"]
)
@pytest.mark.parametrize("quick", [True, False])
def test_what_is_no_number(text: bytes, quick: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not quick:
        monkeypatch.setitem(sys.modules, "msgspec", None)
    for parse in (parse_floats, parse_integers):
        with pytest.raises(ValueError, match="holds"):
            parse(text)


@pytest.mark.parametrize("text", [b"1.5", b"1e400", b"nan", b"9" * 30])
def test_what_is_no_whole_number(text: bytes) -> None:
    with pytest.raises(ValueError, match="whole numbers"):
        parse_integers(text)


def test_ubjson_does_not_grow() -> None:
    """Values of no size in a list of any length would let a small file fill the memory."""
    with pytest.raises(ValueError, match="no room"):
        decode(b"[$Z#L" + (1 << 40).to_bytes(8, "big"))
