"""A conversion inside a worker, where a library's converter may crash or hang without harm."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infer_bench.model import ModelRef
from infer_bench.workers.protocol import Message, pack_columns


def convert(fields: Mapping[str, Any]) -> Message:
    """Convert `fields["model"]` as `fields["options"]` says and write the file `fields["path"]`.

    The reply names the groups of rows; group i's columns are packed under the prefix `i/`.
    """
    from infer_bench.converters import routes
    from infer_bench.converters.base import ConvertOptions

    model = ModelRef(**fields["model"])
    made = routes.convert(
        model, ConvertOptions(**fields["options"]), fields["metadata"], allow_pickle=bool(fields["allow_pickle"])
    )
    Path(fields["path"]).write_bytes(made.onnx)
    arrays: dict[str, Any] = {}
    groups = []
    for i, (name, columns) in enumerate(made.groups.items()):
        packed = pack_columns(columns)
        groups.append({"name": name, **packed.fields})
        arrays.update({f"{i}/{key}": array for key, array in packed.arrays.items()})
    said = {
        "route": made.route,
        "input_dtype": made.input_dtype,
        "computes_in": made.computes_in,
        "notes": list(made.notes),
    }
    return Message("converted", {**said, "groups": groups}, arrays)


def groups_from(reply: Message) -> dict[str, dict[str, Any]]:
    """The groups of rows that `convert` packed: name → columns."""
    from infer_bench.workers.protocol import unpack_columns

    found = {}
    for i, group in enumerate(reply.fields["groups"]):
        prefix = f"{i}/"
        arrays = {key.removeprefix(prefix): a for key, a in reply.arrays.items() if key.startswith(prefix)}
        found[group["name"]] = unpack_columns(Message("rows", group, arrays))
    return found
