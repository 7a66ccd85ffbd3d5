"""Which candidate is for which model."""

from collections.abc import Sequence

import pytest

from infer_bench.errors import UsageError
from infer_bench.measure.candidates.candidates import default_candidates, plan_candidates
from infer_bench.model import ModelRef

ONNX = ModelRef("m.onnx", "onnx", "onnx", "aa", 9)
PIPE = ModelRef("m.joblib", "sklearn", "joblib", "bb", 9)
TEXT = ModelRef("m.txt", "lightgbm", "lightgbm-text", "cc", 9)
FUNCTION = ModelRef("service:predict", "callable", "python", "", 0)


def assign(models: Sequence[ModelRef], texts: Sequence[str] = ()) -> list[tuple[str, str]]:
    return [(plan.model.path, plan.text) for plan in plan_candidates(models, texts, 1)]


def test_an_onnx_file_is_fed_no_data_frame_unless_it_is_asked_for() -> None:
    assert assign([ONNX]) == [("m.onnx", "onnxruntime:feed=ndarray")]
    assert assign([ONNX], ["onnxruntime:feed=dataframe"]) == [("m.onnx", "onnxruntime:feed=dataframe")]
    assert "lightgbm:feed=dataframe" in default_candidates(TEXT)


def test_each_model_gets_the_engines_that_open_it() -> None:
    assert assign([PIPE, ONNX], ["sklearn", "onnxruntime"]) == [
        ("m.joblib", "sklearn"),
        ("m.joblib", "onnxruntime"),
        ("m.onnx", "onnxruntime"),
    ]


def test_a_function_stands_once_beside_several_models() -> None:
    texts = ["lightgbm", "onnxruntime", "service:old"]
    assert [pair for pair in assign([TEXT, ONNX], texts) if pair[1] == "service:old"] == [("m.txt", "service:old")]


@pytest.mark.parametrize(
    ("models", "texts", "message"),
    [
        ([PIPE, ONNX], ["sklearn"], r"sklearn cannot open m\.onnx"),
        ([PIPE, ONNX], ["torch", "onnxruntime"], r"torch cannot open m\.joblib"),
        ([ONNX, PIPE], ["callable"], "needs a function"),
        ([ONNX, PIPE], ["service:old"], "service:old opens no model"),
        ([FUNCTION], ["onnxruntime"], "cannot open service:predict"),
    ],
)
def test_a_candidate_for_no_model_and_a_model_without_candidates(
    models: Sequence[ModelRef], texts: Sequence[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        assign(models, texts)


def test_a_function_is_not_said_to_be_convertible() -> None:
    with pytest.raises(UsageError) as caught:
        assign([FUNCTION], ["lightgbm"])
    assert caught.value.hint == "callable can"
