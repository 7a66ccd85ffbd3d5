"""Report ⇄ JSON. `docs/report.md` has the history of the schema.

`python -m infer_bench.report.serialize` prints it.

A reader ignores keys that it does not know, so that a key may be added without a new `SCHEMA_VERSION`; the version is
raised when a key that exists changes its meaning, its unit or its type, or disappears.
"""

import contextlib
import math
import stat
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import msgspec

from infer_bench.errors import CannotRun
from infer_bench.report import json_text
from infer_bench.report.bench import BenchResult
from infer_bench.report.common import SCHEMA_VERSION, Report
from infer_bench.report.convert import ConvertResult
from infer_bench.report.fleet import FleetResult
from infer_bench.report.load import LoadResult
from infer_bench.report.profile import ProfileResult
from infer_bench.report.quantize import QuantizeResult
from infer_bench.report.selftest import TrialsResult
from infer_bench.report.validate import ValidateResult

__all__ = ["DOCUMENTS", "dump", "load_report", "schema"]

DOCUMENTS: dict[str, Any] = {
    "bench": Report[BenchResult],
    "convert": Report[ConvertResult],
    "fleet": Report[FleetResult],
    "load": Report[LoadResult],
    "profile": Report[ProfileResult],
    "quantize": Report[QuantizeResult],
    "self-test": Report[TrialsResult],
    "validate": Report[ValidateResult],
}
"""The type of each command's document."""

_WRITE_ONE = "`infer-bench bench MODEL --json PATH` writes one that can be read"
_FIRST = ("schema_version", "command")


class _Head(msgspec.Struct):
    """What every version of the document has."""

    schema_version: int
    command: str


def dump(report: Report[Any]) -> bytes:
    """The report as UTF-8 JSON, the same bytes for the same report; `load_report` gives it back.

    A speed-up whose ratio is not a finite number says nothing and is written as null; see `json_text.encode` for the
    other numbers that JSON does not know.
    """
    values = {field.name: getattr(report, field.name) for field in fields(report)}
    values["results"] = tuple(map(_drop_infinite_speedup, report.results))
    heads = {name: values.pop(name) for name in _FIRST}
    return json_text.encode(heads | values)


def _drop_infinite_speedup(result: Any) -> Any:
    if isinstance(result, BenchResult) and result.speedup and not math.isfinite(result.speedup.ratio):
        return replace(result, speedup=None)
    return result


def load_report(source: str | Path | bytes) -> Report[Any]:
    """The report in a file, or in the bytes of one.

    Raises:
        CannotRun: the file is missing, empty, cut off, not JSON, not a report, or of a newer schema.
    """
    if isinstance(source, bytes):
        return _decode(source, "the report")
    return _decode(_read_bytes(Path(source)), str(source))


def _read_bytes(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise CannotRun(f"{path} is a folder, not a report", "name the JSON file in it")
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise CannotRun(f"{path} is a device, not a report", _WRITE_ONE)
        return path.read_bytes()
    except FileNotFoundError:
        raise CannotRun(f"{path}: no such report", _WRITE_ONE) from None
    except (OSError, ValueError) as error:
        raise CannotRun(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _decode(raw: bytes, name: str) -> Report[Any]:
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if not raw.strip():
        raise CannotRun(f"{name} is empty", _WRITE_ONE)
    head = _parse(raw, _Head, name)
    if head.schema_version > SCHEMA_VERSION:
        raise CannotRun(
            f"{name} has schema version {head.schema_version}, this infer-bench reads up to {SCHEMA_VERSION}",
            "pip install --upgrade infer-bench",
        )
    if head.schema_version < 1:
        raise CannotRun(f"{name} is not a report of infer-bench: $.schema_version is {head.schema_version}", _WRITE_ONE)
    if head.command == "doctor":
        raise CannotRun(
            f"{name} is what doctor says of a machine: it holds no results", "infer-bench doctor prints it there"
        )
    if head.command not in DOCUMENTS:
        commands = ", ".join(sorted(DOCUMENTS))
        raise CannotRun(f"{name} is a report of the unknown command {head.command!r}", f"known: {commands}")
    report: Report[Any] = _parse(raw, DOCUMENTS[head.command], name)
    return report


def _parse(raw: bytes, kind: Any, name: str) -> Any:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        _require_json(raw, name)
        problem, _, place = str(error).partition(" - at ")
        raise CannotRun(
            f"{name} is not a report of infer-bench: {place.strip('`') or '$'}: {problem}",
            _WRITE_ONE,
        ) from None
    except msgspec.DecodeError as error:
        raise _describe_broken(error, name) from None
    except (RecursionError, UnicodeDecodeError) as error:
        raise CannotRun(f"{name} is not JSON that can be read: {error}", _WRITE_ONE) from None


def _require_json(raw: bytes, name: str) -> None:
    """Raise `CannotRun` for what is no whole JSON document, whatever its beginning holds."""
    try:
        with contextlib.suppress(RecursionError):
            msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise _describe_broken(error, name) from None


def _describe_broken(error: msgspec.DecodeError, name: str) -> CannotRun:
    if "truncated" in str(error):
        return CannotRun(f"{name} is cut off: it ends in mid-document", "copy it again, or run again")
    return CannotRun(f"{name} is not JSON: {error}", _WRITE_ONE)


def schema() -> bytes:
    """The JSON Schema (2020-12) of the reports of every command."""
    references, definitions = msgspec.json.schema_components(list(DOCUMENTS.values()), ref_template="#/$defs/{name}")
    for command, reference in zip(DOCUMENTS, references, strict=True):
        report = definitions[reference["$ref"].rsplit("/", 1)[-1]]
        report["properties"]["command"] = {"const": command}
        report["properties"]["schema_version"] = {"type": "integer", "minimum": 1, "maximum": SCHEMA_VERSION}
        report["required"] = [*_FIRST[:1], *report["required"]]
    for definition in definitions.values():
        definition["description"] = " ".join(definition.get("description", "").split())
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A report of infer-bench",
        "anyOf": list(references),
        "$defs": definitions,
    }
    return json_text.encode(document)


if __name__ == "__main__":
    sys.stdout.write(schema().decode())
