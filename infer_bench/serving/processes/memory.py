"""The numbers of all workers in memory that they share, so that any of them can tell the sum."""

import mmap
import os
import tempfile

from infer_bench.serving.metrics.counters import MEMORY_BYTES
from infer_bench.serving.metrics.families import Numbers


def create_memory(workers: int) -> int:
    """The descriptor of zeroed memory for so many workers."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("infer-bench-counters")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, MEMORY_BYTES * workers)
    return descriptor


def map_memory(descriptor: int, workers: int) -> list[Numbers]:
    """Each worker's numbers, as doubles."""
    view = memoryview(mmap.mmap(descriptor, MEMORY_BYTES * workers))
    return [view[i * MEMORY_BYTES : (i + 1) * MEMORY_BYTES].cast("d") for i in range(workers)]
