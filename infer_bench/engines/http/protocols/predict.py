"""The protocol of `infer-bench serve`: `POST /predict` with one record, or a list of them."""

from collections.abc import Mapping, Sequence

import msgspec

from infer_bench.engines.http.protocols.base import Answer, Body, Record

Number = float | None


class _Content(msgspec.Struct):
    predictions: list[list[Number] | Number]
    latency_us: dict[str, Number] | None = None
    path: str = ""


_DECODER = msgspec.json.Decoder(_Content)
"""Of the module: a codec that holds none can be sent to another process."""


class PredictCodec:
    """Records by column name; a missing number is null."""

    name = "predict"
    carries_infinity = False

    def encode(self, records: Sequence[Record]) -> Body:
        """One record is an object, several are a list."""
        content = msgspec.json.encode(records[0] if len(records) == 1 else list(records))
        return Body(content, "application/json")

    def decode(self, content: bytes, headers: Mapping[bytes, bytes], rows: int) -> Answer:
        """Raises `ValueError` where `predictions` are not one a row."""
        try:
            answer = _DECODER.decode(content)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ValueError(str(error)) from None
        if len(answer.predictions) != rows:
            noun = "prediction" if len(answer.predictions) == 1 else "predictions"
            raise ValueError(f"{len(answer.predictions)} {noun} for {rows} rows, and not one for each")
        phases = {name: value for name, value in (answer.latency_us or {}).items() if value is not None}
        return Answer(answer.predictions, phases, answer.path)
