"""What a converted file says of itself, in its metadata, so that rows can be matched to it by name."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from infer_bench.model import ModelRef, ModelSpec
from infer_bench.version import __version__

SPEC = "infer_bench.spec"
SOURCE = "infer_bench.source"


def metadata(source: ModelRef, spec: ModelSpec, encoded: Mapping[str, bool] | None = None) -> dict[str, str]:
    """Metadata as strings of JSON: task, features, classes and outputs of the original; its name, sha256 and writer."""
    known: dict[str, Any] = asdict(spec)
    for feature in known["features"]:
        feature["encoded"] = bool((encoded or {}).get(feature["name"]))
    origin = {"file": source.name, "sha256": source.sha256, "format": source.format, "infer_bench": __version__}
    return {SPEC: json.dumps(known), SOURCE: json.dumps(origin)}
