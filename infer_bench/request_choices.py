"""What a user says of requests that are to be drawn: shapes, sizes of axes, values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from infer_bench.errors import UsageError

Shape = tuple[int, ...]

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})")


@dataclass(frozen=True, slots=True)
class Fill:
    """The values of an input: a `text`, or numbers from `low` to `high`, both included where they are whole."""

    low: float = 0.0
    high: float = 0.0
    text: str | None = None


@dataclass(frozen=True, slots=True)
class RequestChoices:
    """By input `shapes` (of several, requests take turns) and `fills`; `sizes` by the name of an axis."""

    shapes: Mapping[str, tuple[Shape, ...]] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    fills: Mapping[str, Fill] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything was chosen."""
        return bool(self.shapes or self.sizes or self.fills)


def parse_choices(shapes: Sequence[str], sizes: Sequence[str], fills: Sequence[str]) -> RequestChoices:
    """From `--shape NAME:1x3x224x224` (repeatable), `--dim batch=8` and `--fill NAME=0..999`. Raises `UsageError`."""
    by_input: dict[str, tuple[Shape, ...]] = {}
    for text in shapes:
        name, shape = parse_shape(text)
        by_input[name] = (*by_input.get(name, ()), shape)
    return RequestChoices(by_input, dict(map(parse_size, sizes)), dict(map(parse_fill, fills)))


def parse_shape(text: str) -> tuple[str, Shape]:
    """`NAME:1x3x224x224`, `NAME:[1,3,224,224]`, or `NAME:` of a scalar; names may hold colons. Raises `UsageError`."""
    name, colon, sizes = text.rpartition(":")
    parts = re.split(r"[x×,]", sizes.strip().removeprefix("[").removesuffix("]")) if sizes.strip(" []") else []
    if not colon or not name or not all(part.strip().isdecimal() for part in parts):
        raise UsageError(f"--shape {text} is no shape of an input", "--shape NAME:1x3x224x224, or NAME: for a scalar")
    return name, tuple(map(int, parts))


def parse_size(text: str) -> tuple[str, int]:
    """`NAME=8`. Raises `UsageError`."""
    name, _, size = text.rpartition("=")
    if not name or not size.strip().isdecimal():
        raise UsageError(f"--dim {text} is no size of an axis", "--dim batch=8")
    return name, int(size)


def parse_fill(text: str) -> tuple[str, Fill]:
    """`NAME=zeros`, `ones`, a number, a range `0..999` or any text. Raises `UsageError`."""
    name, _, value = text.rpartition("=")
    if not name:
        raise UsageError(f"--fill {text} does not say which input", "--fill NAME=zeros, ones, 16000 or 0..999")
    low, high = {"zeros": ("0", "0"), "ones": ("1", "1")}.get(value, (value, value))
    match = _RANGE.fullmatch(value)
    if match:
        low, high = match[1], match[2]
    if not re.fullmatch(_NUMBER, low):
        return name, Fill(text=value)
    if float(low) > float(high):
        raise UsageError(f"--fill {text}: {low} is more than {high}")
    return name, Fill(float(low), float(high), None if match or value in ("zeros", "ones") else value)
