"""Steps in float32: what an exported graph hands to the model, to the last bit."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler

from infer_bench.engines.sklearn.columns import linear
from infer_bench.engines.sklearn.float32_steps import prepared
from infer_bench.errors import EngineError


def rows() -> Any:
    random = np.random.default_rng(0)
    return np.column_stack([1e6 + random.random(200) * 1e3, random.normal(size=200)])


def test_a_scaler_rounds_as_the_exported_one_does() -> None:
    import onnxruntime
    from skl2onnx import to_onnx

    x = rows()
    scaler = StandardScaler().fit(x)
    data = to_onnx(scaler, x[:1].astype(np.float32)).SerializeToString()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    (reference,) = session.run(None, {session.get_inputs()[0].name: x.astype(np.float32)})
    model = make_pipeline(scaler, LinearRegression()).fit(x, x[:, 0])
    assert np.array_equal(prepared(model, x), reference)
    assert not np.array_equal(scaler.transform(x).astype(np.float32), reference)


@pytest.mark.parametrize(
    "scaler",
    [
        StandardScaler(with_mean=False),
        StandardScaler(with_std=False),
        StandardScaler(with_mean=False, with_std=False),
        RobustScaler(with_centering=False),
        MinMaxScaler(),
        MinMaxScaler(clip=True),
    ],
    ids=str,
)
def test_a_scaler_does_what_it_was_asked_to(scaler: Any) -> None:
    """Rows beyond those of training are clipped where the scaler clips, and what it does not subtract is not."""
    x = np.column_stack([50 + np.arange(20.0), np.arange(20.0) ** 2])
    scaler.fit(x[:15])
    model = make_pipeline(scaler, LinearRegression())
    assert np.allclose(prepared(model, x), scaler.transform(x), atol=1e-4)
    maps = linear(scaler)
    assert maps is not None
    assert np.allclose(scaler.transform(x[:15]) * maps[0] + maps[1], x[:15])


def test_columns_come_out_in_their_places() -> None:
    table = pd.DataFrame({"a": rows()[:, 0], "t": ["x", "y"] * 100, "b": rows()[:, 1], "c": 1.0})
    table.loc[3, "b"] = np.nan
    inner = make_pipeline(SimpleImputer(), StandardScaler())
    parts = [("t", OneHotEncoder(), ["t"]), ("n", inner, ["b", "a"]), ("d", "drop", ["c"])]
    steps = ColumnTransformer(parts, remainder="passthrough", sparse_threshold=0)
    model = make_pipeline(steps, LinearRegression()).fit(table, table["a"])
    assert np.allclose(prepared(model, table), model[:-1].transform(table), atol=1e-3)


def test_a_lone_model_has_no_steps() -> None:
    with pytest.raises(EngineError, match="no pipeline"):
        prepared(LinearRegression(), rows())
