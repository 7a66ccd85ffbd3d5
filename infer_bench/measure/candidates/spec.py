"""A candidate: one row of the table, written `engine[:key=value,…]` or `package.module:function[:key=value,…]`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from infer_bench.engines import registry
from infer_bench.errors import UsageError

CALLABLE = "callable"
FUNCTION = "function"
ALL = "all"
"""Stands for every engine, where a bench has the choice."""

_ENGINE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_EXAMPLE = "write engine:key=value,key=value, as in onnxruntime:threads=1,feed=ndarray"

__all__ = ["ALL", "CALLABLE", "FUNCTION", "CandidateSpec", "check_engine", "parse"]


@dataclass(frozen=True, slots=True)
class CandidateSpec:
    """An engine and the options that the user gave; those that were not given are the engine's defaults.

    A user's function is a candidate of the engine `callable` whose option `function` names it.
    """

    engine: str
    options: Mapping[str, str] = field(default_factory=dict)
    label: str = ""

    def __post_init__(self) -> None:
        if not self.label:
            object.__setattr__(self, "label", self.text)

    @property
    def target(self) -> str | None:
        """`package.module:function` of a user's function; None for an engine on a model."""
        return self.options.get(FUNCTION) if self.engine == CALLABLE else None

    @property
    def text(self) -> str:
        """The canonical text; `parse` gives the same candidate back."""
        options = dict(self.options)
        head = options.pop(FUNCTION) if self.target else self.engine
        pairs = ",".join(f"{key}={_quote(options[key])}" for key in sorted(options))
        return f"{head}:{pairs}" if pairs else head


def parse(text: str) -> CandidateSpec:
    """The candidate that `text` writes, its engine and options not looked up. Raises `UsageError` for anything else."""
    stripped = text.strip()
    head, _, rest = stripped.partition(":")
    function, _, options = rest.partition(":")
    if rest and "=" not in function and head not in ("", CALLABLE):
        return CandidateSpec(
            CALLABLE, {FUNCTION: _parse_function(stripped, head, function), **_parse_pairs(stripped, options)}
        )
    if not _ENGINE.fullmatch(head):
        raise UsageError(f"{text!r} is no candidate", _EXAMPLE)
    if stripped.endswith(":") and not rest:
        raise UsageError(f"{text!r} has no options after the colon", _EXAMPLE)
    return CandidateSpec(head, _parse_pairs(stripped, rest))


def check_engine(spec: CandidateSpec) -> None:
    """Raise `UsageError` for an engine that nobody knows, and for a function that is an engine with half an option.

    `lightgbm:feed` reads as a function `feed` in a module `lightgbm`.
    """
    head = (spec.target or "").partition(":")[0]
    if head in registry.names():
        raise UsageError(f"{spec.target!r} is no candidate", "write options as engine:key=value")
    if spec.engine == ALL:
        raise UsageError("'all' stands for every engine in a bench that has no baseline", "name the engines here")
    registry.target(spec.engine)


def _parse_function(text: str, module: str, function: str) -> str:
    parts = [*module.split("."), *function.split(".")]
    if all(part.isidentifier() for part in parts):
        return f"{module}:{function}"
    raise UsageError(
        f"{text!r} is neither an engine with options nor a function", f"{_EXAMPLE}, or package.module:name"
    )


def _parse_pairs(text: str, options: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for piece in options.split(",") if options else []:
        key, equals, value = piece.partition("=")
        key = key.strip()
        if not equals or not _KEY.fullmatch(key):
            raise UsageError(f"{piece.strip()!r} in {text!r} is not key=value", _EXAMPLE)
        if key in pairs:
            raise UsageError(f"{key!r} stands twice in {text!r}", "give each option once")
        pairs[key] = unquote(value.strip())
    return pairs


def _quote(value: str) -> str:
    """`value` with what the grammar needs for itself (comma, blanks, percent sign) percent-encoded."""
    return re.sub(r"[%,\s]", lambda letters: quote(letters[0], safe=""), value)
