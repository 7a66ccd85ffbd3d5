"""A model in the other formats that its own library, pickle, joblib and skops can write."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infer_bench.model import ModelRef
from infer_bench.trees.readers.files import open_model
from infer_bench.workers.protocol import Request


@dataclass(frozen=True, slots=True)
class WrittenForms:
    """The files by format, and of formats that could not be written why."""

    paths: Mapping[str, str]
    failures: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WriteForms(Request[WrittenForms]):
    """Write `model` into `folder`, in every format but its own. Only pickles that the caller has allowed are opened."""

    title = "forms"
    model: ModelRef
    folder: str
    allow_pickle: bool


def write_forms(request: WriteForms) -> WrittenForms:
    """A format that fails costs itself alone."""
    model, paths, failures = request.model, dict[str, str](), dict[str, str]()
    library_model = _load(model, request.allow_pickle)
    for form, (ending, write) in _list_writers(model.family, library_model).items():
        path = Path(request.folder) / f"{Path(model.path).stem}{ending}"
        if form == model.format:
            continue
        try:
            write(str(path))
            paths[form] = str(path)
        except Exception as error:  # noqa: BLE001 - a library may refuse its own model in any way
            failures[form] = (str(error) or type(error).__name__).splitlines()[0]
            with contextlib.suppress(OSError):
                path.unlink()
    return WrittenForms(paths, failures)


def _load(model: ModelRef, allow_pickle: bool) -> Any:
    """The library's own object."""
    if model.format == "lightgbm-text":
        import lightgbm

        return lightgbm.Booster(model_file=model.path)
    if model.format in ("xgboost-json", "xgboost-ubj"):
        import xgboost

        return xgboost.Booster(model_file=model.path)
    if model.format == "torch-pt2":
        from infer_bench.engines.session import require
        from infer_bench.engines.torch.loading import load_program

        return load_program(require("torch", "torch"), model.path, trusted=allow_pickle)
    return open_model(model, allow_pickle)


Writers = dict[str, tuple[str, Callable[[str], object]]]


def _list_writers(family: str, library_model: Any) -> Writers:
    """By format: the ending, and what writes the file."""
    if family == "torch":
        return {"torchscript": (".pt", lambda path: _write_script(library_model, path))}
    if family not in ("lightgbm", "xgboost", "sklearn"):
        return {}
    writers = dict(_list_native_writers(family, library_model))
    writers["pickle"] = ".pickle", lambda path: _pickle(library_model, path)
    writers["joblib"] = ".joblib", lambda path: _dump("joblib", library_model, path)
    if family == "sklearn":
        writers["skops"] = ".skops", lambda path: _dump("skops.io", library_model, path)
    return writers


def _list_native_writers(family: str, library_model: Any) -> Iterator[tuple[str, tuple[str, Callable[[str], object]]]]:
    if family == "lightgbm":
        booster = getattr(library_model, "booster_", library_model)
        yield "lightgbm-text", (".txt", booster.save_model)
    if family == "xgboost":
        booster = library_model.get_booster() if hasattr(library_model, "get_booster") else library_model
        yield "xgboost-json", (".json", booster.save_model)
        yield "xgboost-ubj", (".ubj", booster.save_model)


def _write_script(program: Any, path: str) -> None:
    import torch

    from infer_bench.engines.torch.writer import write_script

    write_script(torch, program, path)


def _pickle(library_model: Any, path: str) -> None:
    import pickle

    with open(path, "wb") as file:
        pickle.dump(library_model, file, protocol=5)


def _dump(module: str, library_model: Any, path: str) -> None:
    import importlib

    importlib.import_module(module).dump(library_model, path)
