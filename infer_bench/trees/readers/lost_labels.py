"""Classifiers trained with an objective that knows no classes."""

from typing import Any

from infer_bench.model import Task


def note_lost_labels(wrapper: Any, task: Task) -> tuple[str, ...]:
    """A note where a wrapper predicts labels that its booster's numbers do not say."""
    if task in ("binary", "multiclass") or wrapper is None or not hasattr(wrapper, "classes_"):
        return ()
    name = type(wrapper).__name__
    return (f"the {name} has an objective without classes: the file gives the booster's numbers, and no labels",)
