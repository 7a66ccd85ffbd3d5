"""The JSON schemas of what is sent and answered."""

import sys
from typing import Any

import numpy as np

from infer_bench.model import PHASES, Feature, ModelSpec, TensorInput
from infer_bench.serving.faults import MESSAGES
from infer_bench.serving.rows.reader import whole_range
from infer_bench.serving.tensors.datatypes import DTYPES

Schema = dict[str, Any]

_LARGEST = sys.float_info.max
_NUMBER: Schema = {"minimum": -_LARGEST, "maximum": _LARGEST}
_KINDS: dict[str, Schema] = {
    "float": {"type": ["number", "null"], **_NUMBER},
    "integer": {"type": ["integer", "null"]},
    "boolean": {"enum": [True, False, 0, 1, None]},
    "category": {"type": ["string", "number", "boolean", "null"], **_NUMBER},
    "string": {"type": ["string", "null"]},
}
_PARAMETERS: Schema = {"type": "object"}
_OPTIONAL: Schema = {"type": ["object", "null"]}
"""Parameters of a request, which may be null."""
_TEXT: Schema = {"type": "string"}


def reference(name: str) -> Schema:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(spec: ModelSpec, *, sparse: bool) -> Schema:
    """One row: a value a column; null is a missing value. Of a network a tensor an input, nested as it is shaped."""
    if spec.inputs:
        required = [tensor.name for tensor in spec.inputs if not tensor.optional]
        properties = {tensor.name: _tensor(tensor) for tensor in spec.inputs}
        return {"type": "object", "properties": properties, "required": required}
    schema: Schema = {"type": "object", "properties": {f.name: _column(f) for f in spec.features}}
    if not spec.features:
        return schema
    if sparse:
        return {**schema, "minProperties": 1, "additionalProperties": False}
    return {**schema, "required": list(spec.feature_names)}


def _tensor(tensor: TensorInput) -> Schema:
    if tensor.shape is None:
        return {"description": str(tensor)}
    kind = {"b": "boolean", "O": "string", "f": "number"}.get(np.dtype(tensor.dtype).kind, "integer")
    schema: Schema = {"type": kind}
    for size in reversed(tensor.shape):
        sizes = {"minItems": size, "maxItems": size} if isinstance(size, int) else {}
        schema = {"type": "array", "items": schema, **sizes}
    return {**schema, "description": str(tensor)}


def _column(feature: Feature) -> Schema:
    schema = _KINDS[feature.kind]
    if feature.kind == "integer":
        least, most = whole_range(feature)
        return {**schema, "minimum": least, "maximum": most}
    return {**schema, "examples": list(feature.categories[:20])} if feature.categories else schema


def prediction(spec: ModelSpec) -> Schema:
    """The answer of /predict."""
    outputs: Schema = {"type": "array", "items": {"type": ["number", "null"]}}
    if spec.features:  # what a function returns is known only when it does
        outputs |= {"minItems": len(spec.outputs), "maxItems": len(spec.outputs)}
    labels: Schema = {"type": ["array", "null"], "items": {"enum": list(spec.classes)} if spec.classes else {}}
    latency = {phase: {"type": "number", "minimum": 0} for phase in PHASES}
    named: Schema = {"type": "array", "items": {"type": "object", "description": "every output by its name"}}
    return _object(
        {"outputs": named} if spec.inputs else {},
        predictions={"type": "array", "items": outputs},
        labels=labels,
        path={"enum": ["primary", "fallback"]},
        model=_TEXT,
        latency_us=_object(**latency),
    )


def common() -> dict[str, Schema]:
    """The schemas that are the same for every model, by name."""
    sizes: Schema = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "maxItems": 8}
    tensor = _object(name=_TEXT, shape=sizes, datatype={"enum": list(DTYPES)})
    output = _object(name=_TEXT)
    return {
        "Error": _object({"columns": {"type": "array", "items": _TEXT}}, error=_TEXT),
        "Health": _object(live={"type": "boolean"}, ready={"type": "boolean"}),
        "InferRequest": _object(
            {
                "id": {"type": ["string", "null"]},
                "parameters": _OPTIONAL,
                "outputs": {"type": ["array", "null"], "items": _with(output, parameters=_OPTIONAL)},
            },
            inputs={
                "type": "array",
                "items": _with(tensor, parameters=_OPTIONAL, data={"type": "array"}),
                "minItems": 1,
            },
        ),
        "InferResponse": _object(
            {"id": _TEXT},
            model_name=_TEXT,
            model_version=_TEXT,
            parameters=_PARAMETERS,
            outputs={"type": "array", "items": _with(tensor, parameters=_PARAMETERS, data={"type": "array"})},
        ),
    }


def _with(schema: Schema, **optional: Schema) -> Schema:
    return {**schema, "properties": {**schema["properties"], **optional}}


def _object(optional: dict[str, Schema] | None = None, /, **required: Schema) -> Schema:
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


def error_responses(*statuses: int) -> Schema:
    """What may be wrong, by status."""
    content = {"application/json": {"schema": reference("Error")}}
    return {str(status): {"description": MESSAGES[status], "content": content} for status in statuses}
