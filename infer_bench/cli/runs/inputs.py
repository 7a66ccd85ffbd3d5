"""Shows what a bench would feed, and writes it to a file that `--data` reads."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from infer_bench.cli.progress import ProgressLine
from infer_bench.cli.terminal import read_terminal
from infer_bench.errors import OutputError
from infer_bench.measure.settings import Settings
from infer_bench.model import Feature, TensorInput
from infer_bench.output import write_stdout
from infer_bench.report.common import DrawnInput
from infer_bench.reporters import inputs as reporter

if TYPE_CHECKING:
    from infer_bench.measure.candidates.rows import Rows

MOST_SAVED = 16
"""So many requests are written: enough to see what they hold, and to put others in their place."""


def run_inputs(models: Sequence[str], candidates: Sequence[str], settings: Settings, output: str | None) -> int:
    """Draw, print, write to `output` (`MODEL.inputs.npz` here without one); gives the exit code 0.

    With several models, the file holds the requests of the first. A file that is there already stays as it is.
    """
    from infer_bench.measure.bench.inputs import draw_inputs  # much that a bench imports while a model is opened

    with ProgressLine() as progress:
        by_model = draw_inputs(models, candidates, settings, progress)
    width, color = read_terminal()
    blocks = [reporter.draw_inputs(name, _lines(rows), width=width, color=color) for name, rows in by_model.items()]
    write_stdout("".join(f"{line}\n" for block in blocks for line in [*block, ""]))
    for notice in (notice for rows in by_model.values() for notice in rows.notices):
        print(f"note: {notice.message}", file=sys.stderr)
    name, rows = next(iter(by_model.items()))
    return _save(rows, Path(output or f"{Path(name).stem}.inputs.npz"))


def _lines(rows: "Rows") -> list[reporter.InputLine]:
    spec = rows.spec
    if not spec.inputs:
        return [_line_of_column(feature) for feature in spec.features]
    tensors = {tensor.name: tensor for tensor in spec.inputs}
    drawn_inputs = {entry.name: entry for entry in rows.inputs}
    return [_line_of_tensor(tensor, drawn_inputs.get(name)) for name, tensor in tensors.items()]


def _line_of_tensor(tensor: TensorInput, entry: DrawnInput | None) -> reporter.InputLine:
    _, _, signature = str(tensor).partition(f"{tensor.name} ")
    dtype, _, shape = signature.partition(" ")
    if entry is None:
        return reporter.InputLine(tensor.name, dtype, shape, "", "left out: it has a default")
    texts = ["x".join(map(str, sizes)) or "scalar" for sizes in entry.shapes]
    return reporter.InputLine(tensor.name, dtype, shape, ", ".join(texts), entry.rule)


def _line_of_column(feature: Feature) -> reporter.InputLine:
    return reporter.InputLine(feature.name, feature.kind, "", "", _rule_of_column(feature))


def _rule_of_column(feature: Feature) -> str:
    if feature.categories:
        return f"one of {len(feature.categories)} categories"
    if feature.positions is not None:
        return "{} to {}, a row of a table in the model".format(*feature.positions)
    return "on both sides of each split, standard normal without one"


def _save(rows: "Rows", path: Path) -> int:
    from infer_bench.data.tensors.save import save_requests

    try:
        count = save_requests(rows.columns, path, MOST_SAVED)
    except FileExistsError:
        print(f"note: {path} is there already, and was left as it is", file=sys.stderr)
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot write {path}: {error}", "name another file with --output") from None
    else:
        print(f"{path}: the first {count} requests; edit them, and give them with --data {path}", file=sys.stderr)
    return 0
