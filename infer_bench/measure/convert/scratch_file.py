"""Where a file stands that is not yet known to be right."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def scratch_file() -> Iterator[Path]:
    """The path of a new file, which other processes of this user can open too and which is gone at the end.

    On Linux it lives in memory and has no name, so that even a kill leaves nothing behind.
    """
    if hasattr(os, "memfd_create"):
        number = os.memfd_create("infer-bench")
        try:
            path = Path(f"/proc/{os.getpid()}/fd/{number}")
            if path.exists():
                yield path
                return
        finally:
            os.close(number)
    with tempfile.TemporaryDirectory(prefix="infer-bench-") as folder:
        yield Path(folder) / "model.onnx"
