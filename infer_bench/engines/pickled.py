"""Models from pickles and skops files, opened only when that is safe or allowed."""

from collections.abc import Mapping
from typing import Any

from infer_bench.engines.session import errors_as, require_readable
from infer_bench.errors import EngineError, ModelError
from infer_bench.model import ModelRef


def open_pickle(model: ModelRef, options: Mapping[str, str]) -> Any:
    """The object in a pickle or joblib file. Raises `UnsafePickle` or `ModelError`.

    The option `allow_pickle`, `yes` or `no`, comes from the worker: the user's consent to run the file's code.
    """
    return open_versioned(model, options)[0]


def open_versioned(model: ModelRef, options: Mapping[str, str]) -> tuple[Any, str]:
    """As `open_pickle`, and in brackets that another scikit-learn saved it; nothing where that is not known.

    Some such models open and cannot predict.
    """
    from infer_bench.formats import pickles

    require_readable(model.path)
    with errors_as(ModelError, f"{model.name} cannot be opened"):
        loaded, content = pickles.load_scanned(model.path, _allows_pickle(options))
    versions, _ = pickles.describe_versions(content)
    return loaded, f" (the model was {versions})" if versions else ""


def open_skops(model: ModelRef, options: Mapping[str, str]) -> Any:
    """The object in a skops file. Raises `UnsafePickle` for a type that is not on the list, or `ModelError`."""
    from infer_bench.formats import pickles

    require_readable(model.path)
    with errors_as(ModelError, f"{model.name} cannot be opened"):
        return pickles.load_skops(model.path, _allows_pickle(options))


def lacks_wrapper(model: ModelRef) -> EngineError:
    """What `api=sklearn` comes to for a model that is a booster alone."""
    return EngineError(f"{model.name} holds a booster and no scikit-learn wrapper", "use api=booster")


def _allows_pickle(options: Mapping[str, str]) -> bool:
    return options.get("allow_pickle") == "yes"
