"""What is known of a format, and of what a file of it needs to be opened."""

import json
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

from infer_bench.formats.pickles.scanning import examine
from infer_bench.model import PICKLED, ModelRef

CODE_FORMATS = PICKLED | {"torchscript"}
"""Loading one runs what is in it."""

LANGUAGES = {
    "catboost-cbm": ("C", "C++", "Java", "Python", "R"),
    "lightgbm-text": ("C", "C++", "Python", "R"),
    "onnx": ("C", "C++", "C#", "Java", "JavaScript", "Python"),
    "torchscript": ("C++", "Python"),
    "xgboost-json": ("C", "Java", "Python", "R"),
    "xgboost-ubj": ("C", "Java", "Python", "R"),
}
"""Languages for which the library that reads the format is published by those who make it."""


def find_languages(format: str) -> tuple[str, ...]:
    """Those that can read a format; Python alone for what pickles Python's own objects."""
    return LANGUAGES.get(format, ("Python",))


def find_modules(model: ModelRef, options: Mapping[str, str], engine_modules: tuple[str, ...]) -> tuple[str, ...]:
    """Top-level modules that opening `model` takes: its engine's, those of the objects in the file, and of the feed."""
    names = [*engine_modules, *(["pandas"] if options.get("feed") == "dataframe" else [])]
    if model.format in PICKLED:
        names += [name.partition(".")[0] for name in examine(model.path)[0].names]
        names += [model.format] if model.format == "joblib" else []
    if model.format == "skops":
        with zipfile.ZipFile(model.path) as archive:
            names += ["skops", *_read_modules(json.loads(archive.read("schema.json")))]
    return tuple(dict.fromkeys(names))


def _read_modules(schema: Any) -> Iterator[str]:
    """Of each object in a skops file."""
    if isinstance(schema, dict):
        if isinstance(module := schema.get("__module__"), str):
            yield module.partition(".")[0]
        for value in schema.values():
            yield from _read_modules(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _read_modules(value)
