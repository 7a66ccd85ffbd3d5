"""What a converted file says of itself, in its metadata, so that rows can be matched to it by name."""

import json
from dataclasses import asdict, replace
from typing import Any

from infer_bench.formats.protobuf import encode_field
from infer_bench.model import Feature, ModelRef, ModelSpec
from infer_bench.version import __version__

SPEC = "infer_bench.spec"
"""Metadata key of what the file computes: JSON of task, classes, outputs and features."""
SOURCE = "infer_bench.source"
CHECK = "infer_bench.check"
"""Metadata key of how near the file was found to the original: JSON."""

_METADATA_PROPS = 14
"""The field of ONNX's ModelProto."""


def describe_source(source: ModelRef, spec: ModelSpec) -> dict[str, str]:
    """Metadata as strings of JSON: task, features, classes and outputs of the original; its name, sha256 and writer.

    No column is `encoded`: the graph takes values, not codes.
    """
    fields: dict[str, Any] = asdict(replace(spec, remarks=(), batch=None))
    fields["features"] = [{**describe_feature(feature), "encoded": False} for feature in spec.features]
    origin = {"file": source.name, "sha256": source.sha256, "format": source.format, "infer_bench": __version__}
    return {SPEC: json.dumps(fields), SOURCE: json.dumps(origin)}


def describe_feature(feature: Feature) -> dict[str, Any]:
    """What a file says of a column. Never the user's own texts, and nothing that its inputs say themselves."""
    names = ("name", "kind", "categories", "invented")
    return {name: getattr(feature, name) for name in names}


def add_metadata(onnx: bytes, key: str, value: str) -> bytes:
    """A serialized model with one more entry in its metadata: fields of a message may be appended to it."""
    entry = b"".join(encode_field(number, text.encode()) for number, text in ((1, key), (2, value)))
    return onnx + encode_field(_METADATA_PROPS, entry)
