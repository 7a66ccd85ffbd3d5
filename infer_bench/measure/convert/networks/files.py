"""A network's file, and the one beside it that holds weights of over 2 GB, until they are known to be right."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from infer_bench.errors import OutputError
from infer_bench.output import OutputFile

MOST_INSIDE_BYTES = 1_900_000_000
"""A model of more has its weights in a file of their own: protobuf ends at 2 GiB."""


def has_weights_beside(source_bytes: int) -> bool:
    """Whether the weights of a model of this size do not fit into one ONNX file."""
    return source_bytes > MOST_INSIDE_BYTES


@contextlib.contextmanager
def scratch_network(target: Path, *, beside: bool) -> Iterator[Path]:
    """The path of a file called as `target` in a new folder, which is gone at the end.

    With `beside` the folder is the target's, so that what is large needs only another name.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix=".infer-bench-", dir=target.parent if beside else None)
    except OSError as error:
        raise OutputError(f"cannot write beside {target}: {error.strerror}") from None
    with folder as name:
        yield Path(name) / target.name


def weights_of(path: Path) -> Path:
    """The file beside an ONNX file that holds its weights."""
    return path.with_name(f"{path.name}.data")


def publish(scratch: Path, target: Path, output: OutputFile) -> None:
    """Put the file, and before it its weights if it has such beside it, where they were asked for."""
    weights = weights_of(scratch)
    try:
        if weights.exists():
            os.replace(weights, weights_of(target))
    except OSError as error:
        raise OutputError(f"cannot write {weights_of(target)}: {error.strerror}") from None
    output.write_atomic(scratch.read_bytes())
