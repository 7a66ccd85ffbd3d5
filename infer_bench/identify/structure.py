"""Whether a model file holds together, checked before a native parser sees it."""

from infer_bench.model import ModelRef


def check_structure(ref: ModelRef) -> None:
    """Raises `ModelError`."""
