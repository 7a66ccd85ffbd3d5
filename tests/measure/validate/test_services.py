"""A running service compared with a model, and measured beside it."""

import json
from pathlib import Path

import numpy as np
import pytest

from infer_bench import bench
from infer_bench.measure.validate.run import run
from infer_bench.measure.validate.settings import ValidateSettings
from tests.stub_service import Exchange, Handler, serve

lightgbm = pytest.importorskip("lightgbm")
DIGITS = str(Path(__file__).parents[3] / "sample_models" / "digits.txt")


def serve_digits() -> Handler:
    """The sample model behind HTTP."""
    booster = lightgbm.Booster(model_file=DIGITS)
    names = booster.feature_name()
    outputs = [str(i) for i in range(10)]
    inputs = [{"name": name, "dtype": "float64"} for name in names]
    info = {"task": "multiclass", "inputs": inputs, "outputs": outputs, "classes": list(range(10))}

    def handle(exchange: Exchange) -> None:
        if exchange.method == "GET":
            exchange.reply_json(info)
            return
        content = json.loads(exchange.content)
        records = content if isinstance(content, list) else [content]
        rows = np.array([[np.nan if r[name] is None else r[name] for name in names] for r in records], dtype=float)
        exchange.reply_json({"predictions": booster.predict(rows).tolist()})

    return handle


def test_a_service_is_compared_on_all_that_json_can_carry() -> None:
    with serve(serve_digits()) as url:
        report = run([DIGITS, url], data=None, engines=[], settings=ValidateSettings())
    (result,) = report.results
    assert not result.different
    assert result.candidate.fed == "JSON"
    groups = {group.name for group in result.groups}
    assert {"drawn", "thresholds", "NaN"} <= groups
    assert "infinite" not in groups


def test_the_round_trip_stands_in_the_table() -> None:
    with serve(serve_digits()) as url:
        report = bench(
            DIGITS, candidates=["lightgbm:feed=ndarray", f"http:url={url}"], rounds=2, processes=1, timeout_s=60.0
        )
    own, trip = report.results
    assert trip.failed is None
    assert trip.max_abs_delta == 0.0
    assert own.request is not None
    assert trip.request is not None
    assert trip.request.min_ns > own.request.min_ns
