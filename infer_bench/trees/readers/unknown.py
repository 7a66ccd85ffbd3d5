"""The refusal of what a reader does not know: a new field may change what a model predicts."""

from collections.abc import Sequence

from infer_bench.errors import NotConvertible


def refuse_unknown(format_name: str, unknown: Sequence[str]) -> None:
    """Raise `NotConvertible`, naming the first of the fields or versions `unknown`, where there are any."""
    if unknown:
        more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
        raise NotConvertible(
            f"the {format_name} model holds {unknown[0]}{more}, whose meaning is not known",
            "it may be of a newer version of the library: update infer-bench, or serve it with its own library",
        )
