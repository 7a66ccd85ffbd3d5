"""From a fitted scikit-learn estimator to an ONNX file that answers the same, or a refusal.

Preprocessing is written in double, since that is what scikit-learn computes in; the file's inputs and outputs are
float32 or, with `precision="exact"`, double.
"""

import importlib
import json
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from infer_bench.converters.onnx.graph import OPSET, Block, Frame, Graph
from infer_bench.converters.onnx.writer import SPEC, write_onnx
from infer_bench.converters.sklearn.inputs import text_columns
from infer_bench.converters.sklearn.registry import PREDICTORS, Answer, answer, transform
from infer_bench.errors import MissingDependency, NotConvertible
from infer_bench.trees.readers.sklearn.ensembles import read_sklearn_trees
from infer_bench.trees.readers.sklearn.estimators import get_class_name, get_feature_names

Precision = Literal["exact", "float32"]

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
)
"""The modules beside this one that register the classes they write."""

PROBABILITIES, LABEL, SCORES, VALUES = "probabilities", "label", "scores", "prediction"


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
        import onnx  # noqa: F401
    except ImportError:
        raise MissingDependency("onnx", "convert") from None
    load_writers()
    lone = read_sklearn_trees(estimator)
    if lone is not None:
        return write_onnx(
            lone, precision=precision, opset_ml=opset_ml, input_name=input_name, zipmap=zipmap, metadata=metadata
        )
    graph = Graph(opset_ml)
    names = get_feature_names(estimator)
    text = text_columns(estimator, range(len(names)))
    inputs, frame = _inputs(graph, names, text, precision, input_name)
    if get_class_name(estimator) in PREDICTORS or hasattr(estimator, "predict"):
        found = answer(graph, estimator, frame)
    else:
        out = transform(graph, estimator, frame)
        found = Answer(out.width, out.numbers(graph, "the output"))
    outputs = _outputs(graph, found, precision, zipmap)
    facts = {"family": "sklearn", "precision": precision, SPEC: spec_of(names, text, found)}
    return _assemble(graph, inputs, outputs, {**facts, **(metadata or {})})


def spec_of(names: tuple[str, ...], text: set[int], found: Answer) -> dict[str, Any]:
    """What the file computes, in the words of the tree writer's own metadata."""
    task = "regression" if not found.classes else "binary" if len(found.classes) == 2 else "multiclass"
    kinds = ["string" if i in text else "float" for i in range(len(names))]
    features = [{"name": name, "kind": kind, "categories": []} for name, kind in zip(names, kinds, strict=True)]
    return {"task": task, "classes": list(found.classes), "outputs": [], "features": features}


def _inputs(
    g: Graph, names: tuple[str, ...], text: set[int], precision: Precision, input_name: str
) -> tuple[list[Any], Frame]:
    from onnx import helper

    number = 11 if precision == "exact" else 1
    given = names if text else (input_name,)
    _refuse_names(given)
    g.reserved.update(given)
    if not text:
        declared = [helper.make_tensor_value_info(input_name, number, [None, len(names)])]
        tensor = input_name if precision == "exact" else g.double(input_name)
        return declared, Frame((Block(tensor, len(names)),), names)
    declared, blocks = [], []
    for index, name in enumerate(names):
        declared.append(helper.make_tensor_value_info(name, 8 if index in text else number, [None, 1]))
        tensor = name if index in text or precision == "exact" else g.double(name)
        blocks.append(Block(tensor, 1, index in text))
    return declared, Frame(tuple(blocks), names)


def _refuse_names(given: tuple[str, ...]) -> None:
    """Raise `NotConvertible` for inputs that ONNX could not tell apart from each other or from the outputs."""
    if len(set(given)) != len(given):
        raise NotConvertible("two columns have one name", "give them different names and fit again")
    for name in given:
        if name in (LABEL, PROBABILITIES, SCORES, VALUES, ""):
            raise NotConvertible(f"an input cannot be named {name!r}, as an output is", "rename it")


def _outputs(g: Graph, found: Answer, precision: Precision, zipmap: bool) -> list[Any]:
    number = 11 if precision == "exact" else 1
    if not found.classes:
        return [_number(g, found.values, VALUES, found.width, number)]
    outputs = [_label(g, found, number)]
    if found.probabilities and zipmap:
        outputs.append(_zipmap(g, found))
    elif found.probabilities:
        outputs.append(_number(g, found.probabilities, PROBABILITIES, len(found.classes), number))
    elif found.scores:
        width = found.score_width or (1 if len(found.classes) == 2 else found.width)
        outputs.append(_number(g, found.scores, SCORES, width, number))
    return outputs


def _number(g: Graph, tensor: str | None, name: str, width: int, number: int) -> Any:
    from onnx import helper

    if tensor is None:
        raise NotConvertible("the model gives no answer that ONNX can hold")
    shaped = refuse(g, g.op("Reshape", tensor, g.ints(-1, width)) if width else tensor)
    _rename(g, g.op("Cast", shaped, to=number), name)
    return helper.make_tensor_value_info(name, number, [None, width])


def refuse(g: Graph, tensor: str) -> str:
    """NaN in the rows for which scikit-learn raises."""
    for mask in dict.fromkeys(g.refused):
        tensor = g.op("Where", g.op("Cast", mask, to=9), g.const(np.float64(np.nan)), tensor)
    return tensor


def _label(g: Graph, found: Answer, number: int) -> Any:
    from onnx import helper

    table, element = class_table(g, found.classes, number)
    if found.choice is None:
        raise NotConvertible("the classifier gives no label that ONNX can hold")
    _rename(g, g.op("Gather", table, found.choice, axis=0), LABEL)
    return helper.make_tensor_value_info(LABEL, element, [None])


def class_table(g: Graph, classes: tuple[Any, ...], number: int) -> tuple[str, int]:
    """The class labels as a constant, and its element type; raises `NotConvertible` for labels of mixed types."""
    types = {type(label) for label in classes}
    if types == {str}:
        return g.const(classes, str), 8
    if types == {bool}:
        return g.const(classes, np.bool_), 9
    if types == {int}:
        return g.const(classes, np.int64), 7
    if types == {float}:
        return g.const(classes, np.float64 if number == 11 else np.float32), number
    raise NotConvertible(f"class labels of the types {sorted(t.__name__ for t in types)}", "use integers or strings")


def _zipmap(g: Graph, found: Answer) -> Any:
    from onnx import helper

    types = {type(label) for label in found.classes}
    if types == {str}:
        keys: dict[str, Any] = {"classlabels_strings": list(found.classes)}
    elif types <= {int, bool}:
        keys = {"classlabels_int64s": [int(label) for label in found.classes]}
    else:
        raise NotConvertible("a ZipMap takes integer or string class labels only", "leave --zipmap out")
    flat = g.op("Cast", refuse(g, found.probabilities or ""), to=1)
    _rename(g, g.op("ZipMap", flat, domain="ai.onnx.ml", **keys), PROBABILITIES)
    g.domains.setdefault("ai.onnx.ml", g.opset_ml)
    key = 8 if types == {str} else 7
    value = helper.make_map_type_proto(key, helper.make_tensor_type_proto(1, ()))
    return helper.make_value_info(PROBABILITIES, helper.make_sequence_type_proto(value))


def _rename(g: Graph, tensor: str, name: str) -> None:
    """Give the newest node's output its public name."""
    node = g.nodes[-1]
    assert node.output[0] == tensor
    node.output[0] = name


def _assemble(g: Graph, inputs: list[Any], outputs: list[Any], facts: Mapping[str, Any]) -> bytes:
    import onnx
    from onnx import helper

    opsets = {**g.domains, "": OPSET}
    graph = helper.make_graph(g.nodes, "model", inputs, outputs, g.initializers)
    model = helper.make_model(
        graph,
        producer_name="infer-bench",
        ir_version=10,
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in opsets.items()],
    )
    named = {key if key.startswith("infer_bench.") else f"infer_bench.{key}": value for key, value in facts.items()}
    helper.set_model_props(model, {key: json.dumps(value, default=str) for key, value in named.items()})
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data
