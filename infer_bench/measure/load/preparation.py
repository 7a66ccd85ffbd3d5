"""From what the user named to a service that has answered once."""

from collections.abc import Set
from dataclasses import replace

import numpy as np

from infer_bench.data import Table
from infer_bench.engines.http.protocols.base import Codec
from infer_bench.engines.http.protocols.choose import (
    Fetch,
    complete_path,
    locate_tensors,
    make_protocol,
    make_tensor_codec,
    read_model_metadata,
    tell_protocol,
)
from infer_bench.engines.http.protocols.json_template import JsonCodec
from infer_bench.engines.http.protocols.oip.codec import TensorCodec
from infer_bench.engines.http.protocols.oip.inputs import describe_inputs, read_described_inputs
from infer_bench.engines.http.protocols.oip.metadata import read_number_columns
from infer_bench.engines.http.target import Target, parse_target, resolve
from infer_bench.errors import CannotRun, UsageError
from infer_bench.measure.load.payloads import Payloads
from infer_bench.measure.load.probe import fetch, find_service
from infer_bench.measure.load.service import RowSource, Service, make_payloads, require_rows
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.measure.load.tensors import read_tensors
from infer_bench.typing import Array


def prepare(url: str, rows: RowSource, settings: LoadSettings) -> tuple[Service, RowSource]:
    """Find out how the service is spoken to, make the requests, and send one; what was sent is told beside it.

    Raises `UsageError` for an address that may not be loaded and rows that do not fit, `CannotRun` where there is no
    right answer.
    """
    target = parse_target(url)
    addresses = resolve(target, is_mine=settings.target_is_mine)
    protocol = tell_protocol(settings.protocol, target)
    target = complete_path(target, protocol)

    def get(path: str) -> bytes:
        return fetch(target, addresses, path, settings.timeout_s, settings.token)

    codec: Codec
    if rows.has_tensors:
        target, codec, rows = _prepare_tensors(rows, target, settings, get)
    else:
        if protocol != "json":
            require_rows(rows)
        if protocol == "predict" and (truths := _find_truths(rows.table)):
            rows = replace(rows, table=_number_truths(rows.table, truths & _ask_number_columns(get)))
        codec = make_protocol(settings.protocol, protocol, target, rows.columns, settings.batch, get)
        if isinstance(codec, JsonCodec) and codec.needs_rows:
            require_rows(rows)
    payloads: Payloads = make_payloads(target, codec, rows, settings.batch, settings.token)
    return find_service(target, addresses, codec, payloads, settings.timeout_s), rows


def _prepare_tensors(
    rows: RowSource, target: Target, settings: LoadSettings, get: Fetch
) -> tuple[Target, TensorCodec, RowSource]:
    """Where a network takes its requests, how they are written, and the requests, those of a file read for it."""
    if settings.batch != 1:
        raise UsageError("--batch is for rows, and a network's requests are sent whole", "leave out --batch")
    info = _ask_model_info(get)
    described = read_described_inputs(info)
    if not tell_protocol(settings.protocol, target).startswith("oip"):
        if settings.protocol.name is not None or settings.protocol.body is not None or not described:
            text = f"{rows.source} holds tensors, which only the Open Inference Protocol carries"
            raise UsageError(text, f"name http://{target.authority}/v2/models/NAME")
        target = locate_tensors(settings.protocol, target, info)
    inputs = describe_inputs(read_model_metadata(target, get), described)
    requests = rows.requests if rows.path is None else read_tensors(rows.path, inputs)
    rows = replace(rows, requests=requests, inputs=inputs)
    return target, make_tensor_codec(settings.protocol, target, get), rows


def _ask_model_info(get: Fetch) -> bytes:
    """Empty of a service that says nothing of its model."""
    try:
        return get("/model-info")
    except CannotRun:
        return b""


def _find_truths(table: Table) -> set[str]:
    """The columns that hold truth values, some of them perhaps missing."""
    columns = {name: column for name, column in table.columns.items() if column.dtype.kind in "bO"}
    return {name for name, column in columns.items() if any(type(value) is bool for value in column.tolist())}


def _ask_number_columns(get: Fetch) -> Set[str]:
    """Those that the service says are numbers; none of a service that says nothing of its model."""
    return read_number_columns(_ask_model_info(get))


def _number_truths(table: Table, names: Set[str]) -> Table:
    """The columns of these names with 1 and 0, as libraries take truth values where they know of numbers."""
    columns = {name: _as_numbers(column) if name in names else column for name, column in table.columns.items()}
    return replace(table, columns=columns)


def _as_numbers(column: Array) -> Array:
    if column.dtype == np.bool_:
        return column.astype(np.int64)
    numbers = np.empty(len(column), dtype=object)
    numbers[:] = [int(value) if type(value) is bool else value for value in column.tolist()]
    return numbers
