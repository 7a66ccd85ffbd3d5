"""A running service as a candidate: the round trip over HTTP stands beside the engines in this process."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from infer_bench.engines.base import Domain, Option, Request, argmax_labels, as_columns
from infer_bench.engines.feeds.schema import is_table
from infer_bench.engines.http.client import Client, Content
from infer_bench.engines.http.description import UNKNOWN, ask_spec
from infer_bench.engines.http.messages import name_token, write_post
from infer_bench.engines.http.protocols.predict import PredictCodec
from infer_bench.engines.http.target import Target, parse_target, resolve
from infer_bench.engines.session import require, to_canonical
from infer_bench.errors import CannotRun, EngineError, ModelError, OptionError, UsageError
from infer_bench.formats.files import names_service
from infer_bench.model import ModelRef, ModelSpec
from infer_bench.typing import ABSENT, Array, Floats

_NUMERIC = ("float", "integer")


class Http:
    """Asks a service that speaks as `infer-bench serve` does: `POST /predict` with records.

    `preprocess` is a record to the bytes of a request, `predict` the round trip, `postprocess` JSON to numbers.
    """

    name = "http"
    formats: frozenset[str] = frozenset({"http"})
    requires: tuple[str, ...] = ("httptools", "msgspec")
    extra = "load"
    options: Mapping[str, Option] = {
        "url": Option("the service's address; empty: the model itself is one", ""),
        "mine": Option("whether a service on another machine is yours to load", "no", ("no", "yes")),
        "timeout": Option("seconds that an answer may take", "30"),
        "token-file": Option("a file with the bearer token that is asked for", ""),
    }

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """Nothing that a service needs is needed here."""
        return ("pandas",)

    def open(self, model: ModelRef, options: Mapping[str, str]) -> "HttpSession":
        """Connect, and ask what is served. Raises `ModelError` for what is no address, `EngineError` for no answer."""
        for module in self.requires:
            require(module, self.extra)
        target = _find_target(options["url"] or model.path, is_mine=options["mine"] == "yes")
        headers = name_token(_read_token(options["token-file"]))
        client = Client(target[0], target[1], _read_seconds(options["timeout"]))
        try:
            return HttpSession(client, target[0], headers, ask_spec(client, target[0], headers))
        except BaseException:
            client.close()
            raise


class Inputs(NamedTuple):
    """The bytes of a request, and how many rows it has."""

    request: bytes
    rows: int

    @property
    def dtype(self) -> str:
        """What the service is fed."""
        return "JSON"


class Outputs(NamedTuple):
    """What was answered to a request of so many rows."""

    content: Content
    rows: int


class HttpSession:
    """A connection to a service, which answers as the model of `spec` does, or as it likes where that is not known."""

    def __init__(self, client: Client, target: Target, headers: Mapping[str, str], spec: ModelSpec) -> None:
        self.spec = spec
        self._client, self._target, self._headers = client, target, headers
        self._codec = PredictCodec()
        self._kinds = {feature.name: feature.kind for feature in spec.features}

    def preprocess(self, request: Request) -> Inputs:
        """The record, or each row of a table, as JSON. Raises `EngineError` naming a value that JSON cannot carry."""
        if is_table(request):
            columns = {name: column.tolist() for name, column in request.items() if self._takes(name)}
            if not columns:
                raise EngineError(f"the rows have none of the columns of {self._target.url}")
            rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        else:
            rows = [{name: value for name, value in request.items() if self._takes(name)}]
        records = [self._complete(row) for row in rows]
        return Inputs(write_post(self._target, self._codec.encode(records), self._headers), len(records))

    def _takes(self, name: str) -> bool:
        return not self._kinds or name in self._kinds

    def _complete(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row as JSON has it: what is missing is null."""
        record = {name: _make_plain(name, value) for name, value in row.items() if value is not ABSENT}
        for name, kind in self._kinds.items():
            value = record.setdefault(name, None)
            if kind in _NUMERIC and isinstance(value, str):
                raise EngineError(f"column {name!r} takes numbers, not {value[:40]!r}")
            if kind == "integer" and isinstance(value, float) and value.is_integer():
                record[name] = int(value)
        return record

    def predict(self, inputs: Inputs) -> Outputs:
        """The round trip. Raises `EngineError` for anything but an answer of 2xx, with what the service says."""
        content = self._client.ask(inputs.request)
        if not 200 <= content.status < 300:
            sentence = " ".join(_read_sentence(content.body).split())[:300]
            raise EngineError(f"{self._target.url} answers {content.status}{': ' if sentence else ''}{sentence}")
        return Outputs(content, inputs.rows)

    def postprocess(self, outputs: Outputs) -> Floats:
        """The predictions, float64 (rows, outputs). Raises `EngineError` for what holds none."""
        content = outputs.content
        try:
            answer = self._codec.decode(content.body, content.headers, outputs.rows)
            predictions = as_columns(_as_rows(answer.predictions))
        except ValueError as error:
            raise EngineError(f"{self._target.url} answers what holds no predictions: {error}") from None
        return predictions if self.spec == UNKNOWN else to_canonical(predictions, self.spec)

    def labels(self, predictions: Floats) -> Array | None:
        """The class labels (rows,); None for a model without classes."""
        return argmax_labels(self.spec, predictions)

    def domain(self) -> Domain:
        """Empty: a service does not tell where its model splits."""
        return Domain()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _as_rows(predictions: Any) -> Any:
    """Null, which JSON has for NaN, as NaN."""
    try:
        return np.asarray(predictions, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError("rows of different lengths") from None


def _make_plain(name: str, value: Any) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and math.isinf(plain):
        raise EngineError(f"column {name!r} is infinite, which JSON cannot carry")
    return plain


def _find_target(text: str, *, is_mine: bool) -> tuple[Target, tuple[str, ...]]:
    if not names_service(text):
        raise ModelError(f"{text} is no address of a service", "write -e http:url=http://127.0.0.1:8080")
    try:
        target = parse_target(text)
        return target, resolve(target, is_mine=is_mine)
    except UsageError as error:
        hint = error.hint.replace("--target-is-mine says", "mine=yes says")
        raise ModelError(error.message, hint) from None


def _read_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 3_600:
        raise OptionError(f"timeout cannot be {text!r}", "seconds, up to an hour")
    return seconds


def _read_token(path: str) -> str:
    if not path:
        return ""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(65_536).strip()
    except (OSError, ValueError) as error:
        raise CannotRun(
            f"the token's file {path} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None


def _read_sentence(body: bytes) -> str:
    from infer_bench.engines.http.errors import read_sentence

    return read_sentence(body.decode("utf-8", "replace"))
