"""What the user named: a model file, looked at before any library sees it, or a function of theirs."""

import os
from pathlib import Path

from infer_bench.errors import ModelError
from infer_bench.formats import pickles
from infer_bench.formats.archives import SCRIPT, check_script
from infer_bench.formats.check import check_structure
from infer_bench.formats.files import names_function, names_service
from infer_bench.formats.identify import identify
from infer_bench.formats.strangers import name_function
from infer_bench.model import PICKLED, ModelRef, ModelSpec
from infer_bench.report.common import ModelInfo


def identify_model(name: str, *, allow_pickle: bool = False) -> ModelRef:
    """The model at the path `name`, the function that `package.module:function` names, or the service at a URL.

    Raises `ModelError` for a file that is missing, broken or not understood, `UnsafePickle` for one that may run code.
    """
    if names_service(name):
        return ModelRef(name, "http", "http", "", 0)
    _check_no_file(name)
    if names_function(name):
        return ModelRef(name, "callable", "python", "", 0)
    ref = identify(name)
    if ref.format in PICKLED:
        pickles.check(ref.path, allow_pickle)
    elif ref.format == SCRIPT:
        check_script(ref.name, allow_pickle=allow_pickle)
    else:
        check_structure(ref)
    return ref


def _check_no_file(name: str) -> None:
    """Raise `ModelError` for `service.py:predict`, whose module is `service`."""
    head, colon, function = name.rpartition(":")
    if colon and head.endswith(".py") and not os.path.lexists(name):
        module = name_function(Path(head)).partition(":")[0]
        raise ModelError(f"{head} is a file where a module is to be named", f"write {module}:{function}")


def identify_convertible(name: str, *, allow_pickle: bool = False) -> ModelRef:
    """As `identify_model`, for what can be converted: raises `ModelError` for a function and for ONNX itself."""
    ref = identify_model(name, allow_pickle=allow_pickle)
    if ref.family in ("callable", "http", "onnx"):
        what = {"callable": "a function", "http": "a service"}.get(ref.family, "ONNX already")
        raise ModelError(f"{name} is {what}", "give a trained model")
    return ref


def describe_model(ref: ModelRef, spec: ModelSpec | None) -> ModelInfo:
    """A model for a report; what it computes is left out where `spec` is not known."""
    task, features, trees = (spec.task, len(spec.features), spec.trees) if spec else (None, None, None)
    inputs = len([tensor for tensor in spec.inputs if not tensor.optional]) if spec and spec.inputs else None
    return ModelInfo(ref.path, ref.family, ref.format, ref.sha256, ref.bytes, task, features, trees, inputs)
