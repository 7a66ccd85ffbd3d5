"""What a converted file says of itself, in its metadata, so that rows can be matched to it by name."""

import json
from dataclasses import asdict, replace
from typing import Any

from infer_bench.model import ModelRef, ModelSpec
from infer_bench.version import __version__

SPEC = "infer_bench.spec"
"""Metadata key of what the file computes: JSON of task, classes, outputs and features."""
SOURCE = "infer_bench.source"


def describe_source(source: ModelRef, spec: ModelSpec) -> dict[str, str]:
    """Metadata as strings of JSON: task, features, classes and outputs of the original; its name, sha256 and writer.

    No column is `encoded`: the graph takes values, not codes.
    """
    fields: dict[str, Any] = asdict(replace(spec, remarks=()))
    for feature in fields["features"]:
        feature["encoded"] = False
    origin = {"file": source.name, "sha256": source.sha256, "format": source.format, "infer_bench": __version__}
    return {SPEC: json.dumps(fields), SOURCE: json.dumps(origin)}
