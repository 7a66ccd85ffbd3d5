"""Probes: functions of libraries replaced, for a while, by wrappers that take the time.

Nothing is imported for it: only libraries that the candidate has loaded are probed. A reference to a method that was
taken before still leads to the unprobed function, unless it is a name in one of the user's modules.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any

from infer_bench.engines.callable import is_foreign

Call = Callable[..., Any]
Wrap = Callable[[Call, str], Call]


@dataclass(frozen=True, slots=True)
class Target:
    """A function at `module`, `path` (dotted, as in `Booster.predict`), shown as `name`."""

    module: str
    path: str
    name: str


MODEL_CALLS = (
    Target("lightgbm.basic", "Booster.predict", "lightgbm Booster.predict"),
    Target("xgboost.core", "Booster.predict", "xgboost Booster.predict"),
    Target("xgboost.core", "Booster.inplace_predict", "xgboost Booster.inplace_predict"),
    Target("onnxruntime.capi.onnxruntime_inference_collection", "Session.run", "InferenceSession.run"),
    Target(
        "onnxruntime.capi.onnxruntime_inference_collection",
        "Session.run_with_iobinding",
        "InferenceSession.run_with_iobinding",
    ),
    Target(
        "onnxruntime.capi.onnxruntime_inference_collection",
        "Session.run_with_ort_values",
        "InferenceSession.run_with_ort_values",
    ),
    Target("catboost.core", "CatBoost.predict", "CatBoost.predict"),
    Target("catboost.core", "CatBoostClassifier.predict", "CatBoostClassifier.predict"),
    Target("catboost.core", "CatBoostClassifier.predict_proba", "CatBoostClassifier.predict_proba"),
    Target("catboost.core", "CatBoostRegressor.predict", "CatBoostRegressor.predict"),
    Target("torch.nn.modules.module", "Module.__call__", "torch Module"),
    Target("lleaves.lleaves", "Model.predict", "lleaves Model.predict"),
    Target("tl2cgen.predictor", "Predictor.predict", "tl2cgen Predictor.predict"),
    Target("keras.src.models.model", "Model.predict", "keras Model.predict"),
)
"""Where a request enters a model."""

ESTIMATOR_CALLS = ("predict_proba", "decision_function", "predict", "predict_log_proba", "score_samples")
"""Of every scikit-learn estimator, those of other libraries included."""


def model_calls() -> list[Target]:
    """The entries into models of what is imported by now, and the user's own names for them."""
    targets = [target for target in MODEL_CALLS if target.module in sys.modules] + estimator_calls(ESTIMATOR_CALLS)
    return [*_aliases(targets), *targets]


def _aliases(targets: Sequence[Target]) -> list[Target]:
    """Names in the user's modules for bound methods (`predict = booster.predict`), which hold the unprobed function."""
    places = ((target, _place(target)) for target in targets)
    titles = {id(place[2]): target.name for target, place in places if place is not None}
    aliases = []
    for module_name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and not is_foreign(file):
            for name, value in list(vars(module).items()):
                title = titles.get(id(getattr(value, "__func__", None)))
                aliases += [Target(module_name, name, title)] if title else []
    return aliases


def estimator_calls(methods: Sequence[str]) -> list[Target]:
    """`methods` of every class below scikit-learn's BaseEstimator that defines them itself."""
    base = getattr(sys.modules.get("sklearn.base"), "BaseEstimator", None)
    targets = []
    for kind in _subclasses(base) if base else ():
        module = sys.modules.get(kind.__module__)
        if getattr(module, kind.__name__, None) is kind:
            own = [method for method in methods if method in vars(kind)]
            targets += [Target(kind.__module__, f"{kind.__name__}.{m}", f"{kind.__name__}.{m}") for m in own]
    return targets


def _subclasses(kind: type) -> list[type]:
    subclasses: dict[type, None] = {}
    waiting: list[type] = list(kind.__subclasses__())
    while waiting:
        one = waiting.pop()
        if one not in subclasses:
            subclasses[one] = None
            waiting += one.__subclasses__()
    return list(subclasses)


@contextlib.contextmanager
def installed(targets: Sequence[Target], wrap: Wrap) -> Iterator[None]:
    """Every target that exists wrapped; all of them as they were on the way out."""
    undo: list[tuple[Any, str, Any]] = []
    try:
        for target in targets:
            place = _place(target)
            if place is not None:
                owner, name, raw = place
                with contextlib.suppress(AttributeError, TypeError):  # a class written in C may not be changed
                    setattr(owner, name, _wrap(raw, target.name, wrap))
                    undo.append((owner, name, raw))
        yield
    finally:
        for owner, name, raw in reversed(undo):
            setattr(owner, name, raw)


def _place(target: Target) -> tuple[Any, str, Any] | None:
    """Where the function really lives (a method: the class that defines it), its name there and what stands there."""
    owner: Any = sys.modules.get(target.module)
    *inner, name = target.path.split(".")
    for part in inner:
        owner = getattr(owner, part, None)
    if owner is None:
        return None
    if isinstance(owner, type):
        owner = next((kind for kind in owner.__mro__ if name in vars(kind)), None)
        return None if owner is None or owner is object else (owner, name, vars(owner)[name])
    value = getattr(owner, name, None)
    return None if value is None else (owner, name, value)


def _wrap(raw: Any, name: str, wrap: Wrap) -> Any:
    if isinstance(raw, classmethod | staticmethod):
        return type(raw)(wrap(raw.__func__, name))
    if isinstance(raw, property):
        return property(wrap(raw.fget, name), raw.fset, raw.fdel) if raw.fget else raw
    if callable(raw):
        wrapper = wrap(raw, name)
        with contextlib.suppress(AttributeError, TypeError):
            update_wrapper(wrapper, raw)
        return wrapper
    return _Late(raw, name, wrap)


class _Late:
    """A descriptor that gives its function only for an object, as scikit-learn's `available_if` does."""

    def __init__(self, raw: Any, name: str, wrap: Wrap) -> None:
        self._raw, self._name, self._wrap = raw, name, wrap

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self._wrap(self._raw.__get__(instance, owner), self._name)
