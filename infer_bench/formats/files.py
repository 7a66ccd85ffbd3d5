"""A model's file as such: whether it is there and can be read. No format is known here, and nothing else imported."""

import os
import re
from pathlib import Path

from infer_bench.errors import ModelError

HEAD_BYTES = 1 << 16
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


def names_function(name: str) -> bool:
    """Whether `name` is no file and written as `package.module:function`."""
    return not os.path.lexists(name) and _FUNCTION.fullmatch(name) is not None


def names_service(name: str) -> bool:
    """Whether `name` is meant as an address rather than as a file."""
    return "://" in name


def read_head(file: Path) -> bytes:
    """The first 64 KiB. Raises `ModelError` for what is missing, no file, empty, or cannot be read."""
    if not os.path.lexists(file):
        raise ModelError(f"no such model file: {file}")
    if file.is_dir():
        raise ModelError(f"{file} is a folder, not a model file")
    if file.exists() and not file.is_file():
        raise ModelError(f"{file} is not a regular file")
    try:
        with file.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError as error:
        raise ModelError(f"cannot read {file}: {error.strerror}") from None
    if not head:
        raise ModelError(f"{file.name} is empty")
    return head
