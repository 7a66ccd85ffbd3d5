"""What models say of how they were read, as notices."""

from collections.abc import Iterable

from infer_bench.model import ModelSpec, Remark
from infer_bench.report.common import Notice


def notices_of(specs: Iterable[tuple[str, ModelSpec]]) -> tuple[Notice, ...]:
    """Each remark of models, which are given with their names, once for all that it is said of."""
    names: dict[Remark, list[str]] = {}
    for name, spec in specs:
        for remark in spec.remarks:
            names.setdefault(remark, []).append(name)
    return tuple(
        Notice(remark.code, f"{', '.join(dict.fromkeys(of))}: {remark.message}", remark.hint)
        for remark, of in names.items()
    )
