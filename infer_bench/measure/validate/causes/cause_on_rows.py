"""A cause, named with the rows that it explains. Pure."""

import numpy as np

from infer_bench.measure.validate.causes.differing_rows import DifferingRows
from infer_bench.report.validate import Cause
from infer_bench.typing import Bools


def cause_on(rows: DifferingRows, name: str, detail: str, explained: Bools, examined: Bools) -> Cause:
    """The cause of the `explained` among the `examined` rows (rows,), of which the first is named."""
    first = int(np.flatnonzero(explained)[0])
    return Cause(
        name=name,
        rows_explained=int(explained.sum()),
        rows_examined=int(examined.sum()),
        detail=detail,
        group=str(rows.groups[first]),
        row=int(rows.numbers[first]),
    )
