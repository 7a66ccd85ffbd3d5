"""How many ordinary models `convert` gets right, refuses, or gets wrong, judged by an oracle of its own.

    python benchmarks/convert_zoo.py                    # every model, exact and in float32; a third of them for opset 3
    python benchmarks/convert_zoo.py --only "lgb rf"    # models whose name holds those words
    python benchmarks/convert_zoo.py --processes        # with the real workers, as the command does it (slower)

Each file is run by ONNX Runtime directly on ordinary, threshold (±1 ulp), NaN, ±inf, zero and unseen-category rows and
held against the library's own `predict`; conversion's own check has no part in that.
"""

import argparse
import collections
import contextlib
import itertools
import logging
import multiprocessing
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[1]))  # `tests` is of the clone, and not installed

from infer_bench.converters.base import ConvertOptions
from infer_bench.errors import InferBenchError
from infer_bench.measure.convert import run as converting
from tests.converters.zoo import case as zoo
from tests.converters.zoo import lightgbm_models, sklearn_models, xgboost_models
from tests.converters.zoo.judge import compare_file
from tests.converters.zoo.local import LocalWorker

FORMS = (
    ConvertOptions(),
    ConvertOptions(precision="float32"),
    ConvertOptions(opset_ml=3),
    ConvertOptions(precision="float32", opset_ml=3),
)
OUTCOMES = ("right", "refused", "wrongly refused", "differs (4)", "error", "SILENTLY WRONG")


@dataclass(frozen=True)
class Outcome:
    """How one conversion ended, with what was said, and notes that are no failure."""

    name: str
    form: str
    outcome: str
    message: str = ""
    notes: str = ""


def every() -> list[zoo.Case]:
    """All models."""
    chain = itertools.chain(lightgbm_models.cases(), xgboost_models.cases(), sklearn_models.cases())
    return zoo.list_cases(chain)


def try_forms(case: zoo.Case, forms: tuple[ConvertOptions, ...], folder: Path) -> Iterator[Outcome]:
    """Train, save, convert in each form and judge."""
    try:
        model, rows = case.train()
        path = zoo.write(model, case.save, folder)
        saved_model = zoo.reload(model, case.save, path)
    except Exception as error:  # noqa: BLE001 - the library refuses: no model, nothing to convert
        yield Outcome(case.name, "train", "error", f"training: {type(error).__name__}: {error}")
        return
    for options in forms:
        yield one(case, options, path, saved_model, rows)


def one(case: zoo.Case, options: ConvertOptions, path: Path, model: Any, rows: Any) -> Outcome:
    """Convert once and judge."""
    form = f"{options.precision}/{options.opset_ml}"
    target = path.with_name("out.onnx")
    target.unlink(missing_ok=True)
    before = {p.name for p in path.parent.iterdir()}
    try:
        report = converting.convert(str(path), str(target), options=options)
    except InferBenchError as error:
        leftovers = {p.name for p in path.parent.iterdir()} - before
        kind = "refused" if case.is_refused and error.exit_code == 6 else "wrongly refused"
        notes = f"left {leftovers}" if leftovers else ""
        return Outcome(case.name, form, "error" if leftovers else kind, str(error), notes)
    except Exception as error:  # noqa: BLE001 - the tally counts these
        return Outcome(case.name, form, "error", f"{type(error).__name__}: {error}")
    failure = report.results[0].failed
    if failure:
        return Outcome(case.name, form, "differs (4)", failure, "left a file" if target.exists() else "")
    exact = options.precision == "exact" and "xgb" not in case.name
    try:
        judgement = compare_file(target, model, rows, 1e-12 if exact else 1e-6)
    except Exception as error:  # noqa: BLE001 - a file that cannot even be asked
        return Outcome(case.name, form, "SILENTLY WRONG", f"cannot be run: {type(error).__name__}: {error}")
    is_loud = judgement.confident and "xgb" not in case.name  # a DMatrix refuses infinities, the other ways in don't
    notes = f"{judgement.confident} rows answered that the library refuses" if is_loud else ""
    notes += f" runtime said: {judgement.warned}" if judgement.warned else ""
    return Outcome(case.name, form, "SILENTLY WRONG" if judgement.wrong else "right", judgement.wrong, notes)


def work(task: tuple[int, bool]) -> list[Outcome]:
    """One case in a process of the pool."""
    index, processes = task
    case = every()[index]
    warnings.simplefilter("ignore")
    logging.disable()
    forms = FORMS if index % 3 == 0 else FORMS[:2]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        if not processes:
            stack.enter_context(mock.patch("infer_bench.measure.convert.round_trip.Worker", LocalWorker))
        return list(try_forms(case, forms, Path(folder)))


def show(outcomes: list[Outcome]) -> None:
    """Everything that is not plainly right, then the tally by family and form."""
    for outcome in sorted(outcomes, key=lambda o: OUTCOMES.index(o.outcome)):
        if outcome.outcome != "right" or outcome.notes:
            print(f"{outcome.outcome:16} {outcome.name:32} {outcome.form:10} {outcome.message[:300]} {outcome.notes}")
    tally = collections.Counter((o.name.split()[0], o.form, o.outcome) for o in outcomes)
    print(f"\n{'family':8}{'form':12}" + "".join(f"{name:>17}" for name in OUTCOMES))
    for family, form in sorted({(f, form) for f, form, _ in tally}):
        print(f"{family:8}{form:12}" + "".join(f"{tally[family, form, name]:17}" for name in OUTCOMES))
    print(f"{'all':20}" + "".join(f"{sum(v for k, v in tally.items() if k[2] == name):17}" for name in OUTCOMES))


def main() -> None:
    """Try all, print the tally."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", default="", help="models whose name holds these words")
    parser.add_argument("--processes", action="store_true", help="with real workers")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    indices = [(i, arguments.processes) for i, case in enumerate(every()) if arguments.only in case.name]
    start = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(arguments.jobs, maxtasksperchild=40) as pool:
        outcomes = [outcome for part in pool.imap_unordered(work, indices) for outcome in part]
    show(outcomes)
    print(f"{len(indices)} models, {len(outcomes)} conversions, {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
