"""What `validate` says of plain ONNX exports, held against an oracle of its own: misses and false alarms.

    python benchmarks/validate_zoo.py                    # every model, with data and with probes alone
    python benchmarks/validate_zoo.py --only "lgb rf"    # models whose name holds those words
    python benchmarks/validate_zoo.py --processes        # with the real workers, as the command does it (slower)

onnxmltools converts LightGBM and XGBoost, skl2onnx the rest, CatBoost itself where it is installed: as their manuals
say, to float32. Each file is run by ONNX Runtime directly on ordinary, threshold (±1 ulp), NaN, zero and odd rows that
float32 can hold, and held against the library's own answers: a file is wrong when an answer is off by more than 1e-4
(and, where answers are no probabilities, 1e-5 of their size), when a label changes, or when it answers a row with a
missing value that the library refuses. `validate` should exit with 4 for these and with 0 for the others.
"""

import argparse
import collections
import contextlib
import itertools
import logging
import multiprocessing
import multiprocessing.pool
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent))

sys.path.insert(0, str(Path(__file__).parents[1]))  # `tests` is of the clone, and not installed

from infer_bench import validate
from infer_bench.errors import InferBenchError
from tests.converters.zoo import case as zoo
from tests.converters.zoo import catboost_models, lightgbm_models, sklearn_models, xgboost_models
from tests.converters.zoo.exports import export, predictions
from tests.converters.zoo.local import LocalWorker
from tests.converters.zoo.oracle import Truth, ask
from tests.converters.zoo.rows import groups

ATOL, RTOL = 1e-4, 1e-5
LIMIT_S = 100
OUTCOMES = ("MISS", "FALSE ALARM", "cannot run", "caught", "right", "no export")
WORKERS = ("infer_bench.measure.validate.predictors.Worker", "infer_bench.measure.validate.trees.Worker")


@dataclass(frozen=True)
class Outcome:
    """What came of one model in a mode ("data" or "probes"): `fault` the oracle saw, `message` is of validate."""

    name: str
    mode: str
    outcome: str
    fault: str = ""
    message: str = ""


def every() -> list[zoo.Case]:
    """All models."""
    parts = (lightgbm_models, xgboost_models, sklearn_models, catboost_models)
    return zoo.list_cases(itertools.chain(*(part.cases() for part in parts)))


def try_model(case: zoo.Case, folder: Path) -> list[Outcome]:
    """Train, save, export plainly, judge, validate."""
    try:
        model, training_rows = case.train()
        path = zoo.write(model, case.save, folder)
        plain = folder / "plain.onnx"
        plain.write_bytes(export(model, training_rows))
        fault = judge_export(plain, zoo.reload(model, case.save, path), training_rows)
    except Exception as error:  # noqa: BLE001 - the library or the plain converter refuses: there is no file to judge
        return [Outcome(case.name, "export", "no export", f"{type(error).__name__}: {error}"[:120])]
    rows = folder / "rows.parquet"
    narrow(pd.DataFrame(training_rows)).rename(columns=str).to_parquet(rows)
    return [compare_export(case.name, path, plain, data, fault) for data in (str(rows), None)]


def compare_export(name: str, path: Path, plain: Path, rows: str | None, fault: str) -> Outcome:
    """One run of validate against the oracle's word."""
    mode = "data" if rows else "probes"
    try:
        report = validate(str(path), str(plain), data=rows, probes="on" if rows else "only", allow_pickle=True)
    except InferBenchError as error:
        return Outcome(name, mode, "cannot run", fault, str(error))
    except Exception as error:  # noqa: BLE001 - a bug of the tool, which the tally shows
        return Outcome(name, mode, "cannot run", fault, f"BUG {type(error).__name__}: {error}")
    (result,) = report.results
    by_exit_code = {4: "caught" if fault else "FALSE ALARM", 0: "MISS" if fault else "right"}
    outcome = by_exit_code.get(report.verdict.exit_code, "cannot run")
    causes = ", ".join(cause.name for cause in result.causes) or ("not explained" if result.not_explained else "")
    failing = ", ".join(f"{group.name} {group.failing}" for group in result.groups if group.failing)
    return Outcome(name, mode, outcome, fault, f"{failing} [{causes}] {result.failed or ''}")


def judge_export(plain: Path, model: Any, training_rows: Any) -> str:
    """What is wrong with a file, in words; nothing when it is right."""
    wrong = []
    for name, table in groups(model, training_rows).items():
        if name in ("infinite", "far"):
            continue
        narrowed = narrow(table)
        exported = predictions(plain, narrowed)
        if hasattr(model, "cluster_centers_"):
            exported["numbers"] = None  # distances, and the cluster's number is the answer
        fault = differs(ask(model, narrowed), exported, narrowed)
        wrong += [f"{name}: {fault}"] if fault else []
    return "; ".join(wrong)


def narrow(table: Any) -> Any:
    """Numbers as float32 can hold them, in double."""
    if not isinstance(table, pd.DataFrame):
        return np.asarray(table).astype(np.float32).astype(np.float64)
    numeric = [name for name, kind in table.dtypes.items() if getattr(kind, "kind", "O") == "f"]
    return table.astype(dict.fromkeys(numeric, np.float32)).astype(dict.fromkeys(numeric, np.float64))


def differs(truth: Truth, exported: dict[str, Any], rows: Any) -> str:
    """A difference in words, or nothing."""
    refusals, numbers = truth.refusals, exported["numbers"]
    if refusals.any():
        holes = np.asarray(pd.DataFrame(rows).isna().any(axis=1))
        confident = refusals & holes & (True if numbers is None else np.isfinite(numbers).any(axis=1))
        if confident.any():
            return f"{confident.sum()} refused rows are answered"
    usual = ~refusals
    if not usual.any():
        return ""
    if truth.values is not None and numbers is not None:
        fault = off(truth.values, numbers[usual], truth.labels is not None)
        if fault:
            return fault
    if truth.labels is None or exported["labels"] is None:
        return ""
    pairs = zip(truth.labels.tolist(), exported["labels"][usual].tolist(), strict=True)
    other_labels = np.array([ours != theirs for ours, theirs in pairs])
    if truth.values is not None:
        other_labels &= np.isfinite(truth.values).all(axis=1)
    return f"{other_labels.sum()} labels" if other_labels.any() else ""


def off(ours: Any, theirs: Any, is_bounded: bool) -> str:
    """Answers that are too far apart, in words."""
    if ours.shape[1] == 2 and theirs.shape[1] == 1:
        ours = ours[:, 1:]
    if ours.shape != theirs.shape:
        return f"shape {theirs.shape}, not {ours.shape}"
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(all="ignore"):
        gap = np.abs(ours - theirs)
        bad = ~same & ~(gap <= ATOL + (0.0 if is_bounded else RTOL * np.abs(ours)))
    return f"{bad.any(axis=1).sum()} rows, max {np.nanmax(np.where(same, 0, gap)):.1e}" if bad.any() else ""


def work(index: int, processes: bool, sender: Any) -> None:
    """One case in a process of its own."""
    warnings.simplefilter("ignore")
    logging.disable()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        if not processes:
            for place in WORKERS:
                stack.enter_context(mock.patch(place, LocalWorker))
        sender.send(try_model(every()[index], Path(folder)))


def try_in_time(task: tuple[int, str, bool]) -> list[Outcome]:
    """One case within the time limit: some exports hang."""
    index, name, processes = task
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(index, processes, sender))
    process.start()
    sender.close()
    try:
        outcomes: list[Outcome] = receiver.recv() if receiver.poll(LIMIT_S) else []
    except EOFError:
        outcomes = []
    process.kill()
    process.join()
    return outcomes or [Outcome(name, "export", "no export", "hangs or crashes")]


def main() -> int:
    """Try all, print what is not as it should be and the tally; 1 for a miss or a false alarm."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", default="", help="models whose name holds these words")
    parser.add_argument("--processes", action="store_true", help="with real workers")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--all", action="store_true", help="print every line")
    arguments = parser.parse_args()
    cases = [(i, case.name, arguments.processes) for i, case in enumerate(every()) if arguments.only in case.name]
    start = time.monotonic()
    outcomes = []
    with multiprocessing.pool.ThreadPool(arguments.jobs) as pool:
        for part in pool.imap_unordered(try_in_time, cases):
            outcomes += part
            for outcome in part:
                if arguments.all or outcome.outcome in OUTCOMES[:3]:
                    message = f"{outcome.fault[:160]} | {outcome.message[:160]}"
                    print(f"{outcome.outcome:12} {outcome.name:34} {outcome.mode:7} {message}", flush=True)
    tally = collections.Counter((outcome.mode, outcome.outcome) for outcome in outcomes)
    for (mode, outcome), count in sorted(tally.items()):
        print(f"{mode:8} {outcome:12} {count}")
    print(f"{len(cases)} models, {time.monotonic() - start:.0f} s")
    return 1 if any(outcome.outcome in OUTCOMES[:2] for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
