"""From a fitted scikit-learn estimator to an ONNX file that predicts the same, or a refusal.

Preprocessing is written in double, since that is what scikit-learn computes in; the file's inputs and outputs are
float32 or, with `precision="exact"`, double.
"""

import importlib
from collections.abc import Mapping
from typing import Any, Literal, NoReturn

import numpy as np

from infer_bench.converters.base import LABEL, PREDICTION, PROBABILITIES, SCORES, Precision
from infer_bench.converters.metadata import SPEC
from infer_bench.converters.onnx.assembly import assemble
from infer_bench.converters.onnx.columns import NUMBER
from infer_bench.converters.onnx.graph import OPSET, Block, Frame, Graph
from infer_bench.converters.onnx.labels import add_zipmap, make_label_table
from infer_bench.converters.onnx.writer import write_onnx
from infer_bench.converters.sklearn.inputs import find_text_columns
from infer_bench.converters.sklearn.registry import Predictions, write_predictor, write_transformer
from infer_bench.errors import MissingDependency, NotConvertible
from infer_bench.trees.ensemble import Dtype
from infer_bench.trees.readers.sklearn.ensembles import read_sklearn_trees
from infer_bench.trees.readers.sklearn.estimators import get_feature_names

_IR_VERSION = 10
_OUTPUT_DTYPE: dict[Precision, Dtype] = {"exact": "float64", "float32": "float32"}

WRITERS = (
    "scalers",
    "encoders",
    "linear",
    "meta_estimators",
    "calibration",
    "distances",
    "trees",
    "hist_gradient_boosting",
    "bagging",
    "boosters",
    "one_vs_one",
    "text.vectorizers",
)
"""The modules beside this one that register the classes they write."""


def load_writers() -> None:
    """Import every module that registers routes."""
    for name in WRITERS:
        importlib.import_module(f"infer_bench.converters.sklearn.{name}")


def convert_sklearn(
    estimator: Any,
    *,
    precision: Precision = "float32",
    opset_ml: Literal[3, 5] = 5,
    input_name: str = "input",
    zipmap: bool = False,
    metadata: Mapping[str, Any] | None = None,
) -> bytes:
    """The ONNX file of a fitted estimator, serialized.

    Inputs: one tensor `input_name` (batch, features), or one (batch, 1) tensor a column, named as the column, where any
    column holds strings (a missing string is ""). Outputs: `label` (batch,) and `probabilities` (batch, classes) for a
    classifier (`scores`, its decision function, where it has no probabilities), `predictions` (batch, targets) for a
    regressor or transformer.

    Raises `NotConvertible` for what has no exact form here, `MissingDependency` without onnx.
    """
    try:
        import onnx
    except ImportError:
        raise MissingDependency("onnx", "convert") from None
    load_writers()
    ensemble = read_sklearn_trees(estimator)
    if ensemble is not None:
        return write_onnx(
            ensemble, precision=precision, opset_ml=opset_ml, input_name=input_name, zipmap=zipmap, metadata=metadata
        )
    graph = Graph(opset_ml)
    names = get_feature_names(estimator)
    text = find_text_columns(estimator, range(len(names)))
    inputs, frame = _declare_inputs(graph, names, text, precision, input_name)
    predictions = _write(graph, estimator, frame)
    outputs = _declare_outputs(graph, predictions, precision, zipmap)
    facts = {"family": "sklearn", "precision": precision, SPEC: describe(names, text, predictions), **(metadata or {})}
    opsets = {"": OPSET, **graph.domains}
    data = assemble(graph, "model", inputs, outputs, opsets=opsets, ir_version=_IR_VERSION, metadata=facts)
    onnx.checker.check_model(data)
    return data


def _write(g: Graph, estimator: Any, frame: Frame) -> Predictions:
    """A predictor's predictions, or a lone transformer's columns as values."""
    if hasattr(estimator, "predict"):
        return write_predictor(g, estimator, frame)
    out = write_transformer(g, estimator, frame)
    return Predictions(out.width, out.numbers(g, "the output"))


def describe(names: tuple[str, ...], text: set[int], predictions: Predictions) -> dict[str, Any]:
    """What the file computes, in the words of the tree writer's own metadata."""
    classes = predictions.classes
    task = "regression" if not classes else "binary" if len(classes) == 2 else "multiclass"
    kinds = ["string" if i in text else "float" for i in range(len(names))]
    features = [{"name": name, "kind": kind, "categories": []} for name, kind in zip(names, kinds, strict=True)]
    return {"task": task, "classes": list(classes), "outputs": [], "features": features}


def _declare_inputs(
    g: Graph, names: tuple[str, ...], text: set[int], precision: Precision, input_name: str
) -> tuple[list[Any], Frame]:
    from onnx import helper

    number = NUMBER[_OUTPUT_DTYPE[precision]]
    input_names = names if text else (input_name,)
    _refuse_names(input_names)
    g.reserved.update(input_names)
    if not text:
        info = helper.make_tensor_value_info(input_name, number, [None, len(names)])
        tensor = input_name if precision == "exact" else g.double(input_name)
        return [info], Frame((Block(tensor, len(names)),), names)
    infos, blocks = [], []
    for index, name in enumerate(names):
        infos.append(helper.make_tensor_value_info(name, 8 if index in text else number, [None, 1]))
        tensor = name if index in text or precision == "exact" else g.double(name)
        blocks.append(Block(tensor, 1, index in text))
    return infos, Frame(tuple(blocks), names)


def _refuse_names(names: tuple[str, ...]) -> None:
    """Raise `NotConvertible` for inputs that ONNX could not tell apart from each other or from the outputs."""
    if len(set(names)) != len(names):
        raise NotConvertible("two columns have one name", "give them different names and fit again")
    for name in names:
        if name in (LABEL, PROBABILITIES, SCORES, PREDICTION, ""):
            raise NotConvertible(f"an input cannot be named {name!r}, as an output is", "rename it")


def _declare_outputs(g: Graph, predictions: Predictions, precision: Precision, zipmap: bool) -> list[Any]:
    number, classes = NUMBER[_OUTPUT_DTYPE[precision]], predictions.classes
    if not classes:
        return [_declare_numbers(g, predictions.values, PREDICTION, predictions.width, number)]
    outputs = [_declare_label(g, predictions, _OUTPUT_DTYPE[precision])]
    if predictions.probabilities and zipmap:
        outputs.append(add_zipmap(g, classes, mask_refused(g, predictions.probabilities)))
    elif predictions.probabilities:
        outputs.append(_declare_numbers(g, predictions.probabilities, PROBABILITIES, len(classes), number))
    elif predictions.scores:
        width = predictions.score_width or (1 if len(classes) == 2 else predictions.width)
        outputs.append(_declare_numbers(g, predictions.scores, SCORES, width, number))
    return outputs


def _declare_numbers(g: Graph, tensor: str | None, name: str, width: int, number: int) -> Any:
    from onnx import helper

    if tensor is None:
        raise NotConvertible("the model gives no answer that ONNX can hold")
    shaped = mask_refused(g, g.op("Reshape", tensor, g.ints(-1, width)) if width else tensor)
    _rename(g, g.op("Cast", shaped, to=number), name)
    return helper.make_tensor_value_info(name, number, [None, width])


def mask_refused(g: Graph, tensor: str) -> str:
    """NaN in the rows for which scikit-learn raises."""
    for mask in dict.fromkeys(g.refusal_masks):
        tensor = g.op("Where", g.op("Cast", mask, to=9), g.const(np.float64(np.nan)), tensor)
    return tensor


def _declare_label(g: Graph, predictions: Predictions, dtype: Dtype) -> Any:
    from onnx import helper

    table, element = make_label_table(g, predictions.classes, dtype) or _refuse_labels(predictions.classes)
    if predictions.choice is None:
        raise NotConvertible("the classifier gives no label that ONNX can hold")
    _rename(g, g.op("Gather", table, predictions.choice, axis=0), LABEL)
    return helper.make_tensor_value_info(LABEL, element, [None])


def _refuse_labels(classes: tuple[Any, ...]) -> NoReturn:
    types = sorted({type(label).__name__ for label in classes})
    raise NotConvertible(f"class labels of the types {types}", "use integers or strings")


def _rename(g: Graph, tensor: str, name: str) -> None:
    """Give the newest node's output its public name."""
    node = g.nodes[-1]
    assert node.output[0] == tensor
    node.output[0] = name
