"""From what the user named to a service that has answered once."""

from collections.abc import Callable, Set
from dataclasses import replace

import numpy as np

from infer_bench.data import Table
from infer_bench.engines.http.protocols.base import Codec
from infer_bench.engines.http.protocols.choose import (
    ProtocolName,
    complete_path,
    make_protocol,
    read_model_metadata,
    tell_protocol,
)
from infer_bench.engines.http.protocols.json_template import JsonCodec
from infer_bench.engines.http.protocols.oip.codec import TensorCodec
from infer_bench.engines.http.protocols.oip.metadata import read_number_columns
from infer_bench.engines.http.target import Target, parse_target, resolve
from infer_bench.errors import CannotRun, UsageError
from infer_bench.measure.load.payloads import Payloads
from infer_bench.measure.load.probe import fetch, find_service
from infer_bench.measure.load.service import RowSource, Service, make_payloads, require_rows
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.measure.load.tensors import read_tensors
from infer_bench.typing import Array


def prepare(url: str, rows: RowSource, settings: LoadSettings) -> Service:
    """Find out how the service is spoken to, make the requests, and send one.

    Raises `UsageError` for an address that may not be loaded and rows that do not fit, `CannotRun` where there is no
    right answer.
    """
    target = parse_target(url)
    addresses = resolve(target, is_mine=settings.target_is_mine)
    protocol = _choose_protocol(rows, target, settings)
    target = complete_path(target, protocol)

    def get(path: str) -> bytes:
        return fetch(target, addresses, path, settings.timeout_s, settings.token)

    codec: Codec
    if rows.has_tensors:
        metadata = read_model_metadata(target, get)
        codec = TensorCodec(metadata.inputs, binary=protocol == "oip-binary")
        rows = replace(rows, requests=read_tensors(rows.path, metadata)) if rows.path is not None else rows
    else:
        if protocol != "json":
            require_rows(rows)
        if protocol == "predict" and (truths := _find_truths(rows.table)):
            rows = replace(rows, table=_number_truths(rows.table, truths & _ask_number_columns(get)))
        codec = make_protocol(settings.protocol, protocol, target, rows.columns, settings.batch, get)
        if isinstance(codec, JsonCodec) and codec.needs_rows:
            require_rows(rows)
    payloads: Payloads = make_payloads(target, codec, rows, settings.batch, settings.token)
    return find_service(target, addresses, codec, payloads, settings.timeout_s)


def _choose_protocol(rows: RowSource, target: Target, settings: LoadSettings) -> ProtocolName:
    """The target's; tensors go as bytes unless the user names a protocol. Raises `UsageError` where it carries none."""
    protocol = tell_protocol(settings.protocol, target)
    if not rows.has_tensors:
        return protocol
    if not protocol.startswith("oip"):
        address = f"http://{target.authority}/v2/models/NAME"
        raise UsageError(
            f"{rows.source} holds tensors, which only the Open Inference Protocol carries", f"name {address}"
        )
    if settings.batch != 1 or settings.check is not None:
        option = "--batch" if settings.batch != 1 else "--check"
        raise UsageError(f"{option} is for rows, and a network's requests are sent whole", f"leave out {option}")
    return settings.protocol.name or "oip-binary"


def _find_truths(table: Table) -> set[str]:
    """The columns that hold truth values, some of them perhaps missing."""
    columns = {name: column for name, column in table.columns.items() if column.dtype.kind in "bO"}
    return {name for name, column in columns.items() if any(type(value) is bool for value in column.tolist())}


def _ask_number_columns(get: Callable[[str], bytes]) -> Set[str]:
    """Those that the service says are numbers; none of a service that says nothing of its model."""
    try:
        return read_number_columns(get("/model-info"))
    except CannotRun:
        return frozenset()


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
