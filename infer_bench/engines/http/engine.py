"""A running service as a candidate: the round trip over HTTP stands beside the engines in this process."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from infer_bench.engines.base import Domain, Option, Request, argmax_labels, as_columns
from infer_bench.engines.feeds.schema import is_table
from infer_bench.engines.http.client import Client, Content
from infer_bench.engines.http.conversation import Conversation, ask_right_answer
from infer_bench.engines.http.description import UNKNOWN
from infer_bench.engines.http.messages import name_token, require_plain
from infer_bench.engines.http.network import HttpNetwork
from infer_bench.engines.http.protocols.base import Codec
from infer_bench.engines.http.protocols.choose import PROTOCOLS, ProtocolChoice
from infer_bench.engines.http.target import Target, parse_target, resolve
from infer_bench.engines.session import require, to_canonical
from infer_bench.errors import CannotRun, EngineError, ModelError, OptionError, UsageError
from infer_bench.formats.files import names_service
from infer_bench.model import ModelRef, ModelSpec
from infer_bench.typing import ABSENT, Array, Floats

_NUMERIC = ("float", "integer")
TAKES = ("rows", "tensors")


class Http:
    """Asks a service by `POST /predict` with records, the Open Inference Protocol, or JSON made of a template.

    `preprocess` is a record to the bytes of a request, `predict` the round trip, `postprocess` the answer to numbers.
    A network's requests are tensors, by the Open Inference Protocol.
    """

    name = "http"
    formats: frozenset[str] = frozenset({"http"})
    requires: tuple[str, ...] = ("httptools", "msgspec")
    extra = "load"
    options: Mapping[str, Option] = {
        "url": Option("the service's address; empty: the model itself is one", ""),
        "mine": Option("whether a service on another machine is yours to load", "no", ("no", "yes")),
        "timeout": Option("seconds that an answer may take", "30"),
        "protocol": Option("how it is spoken to; empty: told by the address", "", ("", *PROTOCOLS)),
        "body": Option("a file with the template of a request's JSON", ""),
        "answer": Option("where the predictions stand in the answer to it, as in $.score", ""),
        "token-file": Option("a file with the bearer token that is asked for", ""),
        "takes": Option("whether it takes rows or a network's tensors; empty: the service says", "", ("", *TAKES)),
    }

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """Nothing that a service needs is needed here."""
        return ("pandas",)

    def open(self, model: ModelRef, options: Mapping[str, str]) -> "HttpSession | HttpNetwork":
        """Connect, and ask what is served. Raises `ModelError` for what is no address, `EngineError` for no answer."""
        for module in self.requires:
            require(module, self.extra)
        target = _find_target(options["url"] or model.path, is_mine=options["mine"] == "yes")
        choice = _read_protocol(options)
        headers = name_token(_read_token(options["token-file"]))
        client = Client(target[0], target[1], _read_seconds(options["timeout"]))
        try:
            conversation = Conversation(client, target[0], headers, choice, options["takes"])
            spec = conversation.ask_spec()
            return (HttpNetwork if spec.inputs else HttpSession)(client, conversation, spec)
        except BaseException:
            client.close()
            raise


class Inputs(NamedTuple):
    """The bytes of a request, how many rows it has, and what reads its answer."""

    request: bytes
    rows: int
    codec: Codec

    @property
    def dtype(self) -> str:
        """What the service is fed."""
        return "bytes" if self.codec.carries_infinity else "JSON"


class Outputs(NamedTuple):
    """What was answered to a request of so many rows, and what reads it."""

    content: Content
    rows: int
    codec: Codec


class HttpSession:
    """A connection to a service, which answers as the model of `spec` does, or as it likes where that is not known."""

    def __init__(self, client: Client, conversation: "Conversation", spec: ModelSpec) -> None:
        self.spec = spec
        self._client, self._conversation, self._url = client, conversation, conversation.target.url
        self._kinds = {feature.name: feature.kind for feature in spec.features}

    def preprocess(self, request: Request) -> Inputs:
        """The record, or each row of a table, as the protocol has it.

        Raises `EngineError` naming a value that it cannot carry.
        """
        if is_table(request):
            columns = {name: column.tolist() for name, column in request.items() if self._takes(name)}
            if not columns:
                raise EngineError(f"the rows have none of the columns of {self._url}")
            rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        else:
            rows = [{name: value for name, value in request.items() if self._takes(name)}]
        records = [self._complete(row) for row in rows]
        codec = self._conversation.choose_codec(records)
        if not codec.carries_infinity:
            for name, value in ((name, value) for record in records for name, value in record.items()):
                if isinstance(value, float) and math.isinf(value):
                    raise EngineError(f"column {name!r} is infinite, which JSON cannot carry")
        return Inputs(self._conversation.write(codec, records), len(records), codec)

    def _takes(self, name: str) -> bool:
        return not self._kinds or name in self._kinds

    def _complete(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row in plain Python values: what is missing is None."""
        record = {name: _make_plain(value) for name, value in row.items() if value is not ABSENT}
        for name, kind in self._kinds.items():
            value = record.setdefault(name, None)
            if kind in _NUMERIC and isinstance(value, str):
                raise EngineError(f"column {name!r} takes numbers, not {value[:40]!r}")
            if kind in _NUMERIC and isinstance(value, bool):
                record[name] = int(value)
            if kind == "integer" and isinstance(value, float) and value.is_integer():
                record[name] = int(value)
        return record

    def predict(self, inputs: Inputs) -> Outputs:
        """The round trip. Raises `EngineError` for anything but an answer of 2xx, with what the service says."""
        return Outputs(ask_right_answer(self._client, self._url, inputs.request), inputs.rows, inputs.codec)

    def postprocess(self, outputs: Outputs) -> Floats:
        """The predictions, float64 (rows, outputs). Raises `EngineError` for what holds none."""
        content = outputs.content
        try:
            require_plain(content.headers)
            answer = outputs.codec.decode(content.body, content.headers, outputs.rows)
            predictions = as_columns(_as_rows(answer.predictions))
        except ValueError as error:
            raise EngineError(f"{self._url} answers what holds no predictions: {error}") from None
        is_unknown = (self.spec.task, self.spec.outputs) == (UNKNOWN.task, UNKNOWN.outputs)
        return predictions if is_unknown else to_canonical(predictions, self.spec)

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


def _make_plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _find_target(text: str, *, is_mine: bool) -> tuple[Target, tuple[str, ...]]:
    if not names_service(text):
        raise ModelError(f"{text} is no address of a service", "write -e http:url=http://127.0.0.1:8080")
    try:
        target = parse_target(text)
        return target, resolve(target, is_mine=is_mine)
    except UsageError as error:
        hint = error.hint.replace("--target-is-mine says", "mine=yes says")
        raise ModelError(error.message, hint) from None


def _read_protocol(options: Mapping[str, str]) -> ProtocolChoice:
    """Raises `OptionError` for a protocol and a template that do not go together."""
    try:
        name = next((one for one in PROTOCOLS if one == options["protocol"]), None)
        return ProtocolChoice(name, options["body"] or None, options["answer"] or None)
    except UsageError as error:
        raise OptionError(error.message, "body=template.json and answer=$.score go with protocol=json") from None


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
