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
    """What came of one model: `mode` is "data" or "probes", `said` what the oracle saw, `told` what validate did."""

    name: str
    mode: str
    outcome: str
    said: str = ""
    told: str = ""


def every() -> list[zoo.Case]:
    """All models."""
    parts = (lightgbm_models, xgboost_models, sklearn_models, catboost_models)
    return zoo.named(itertools.chain(*(part.cases() for part in parts)))


def tried(case: zoo.Case, folder: Path) -> list[Outcome]:
    """Train, save, export plainly, judge, validate."""
    try:
        model, trained = case.train()
        path = zoo.write(model, case.save, folder)
        plain = folder / "plain.onnx"
        plain.write_bytes(export(model, trained))
        said = judged(plain, zoo.read(model, case.save, path), trained)
    except Exception as error:  # noqa: BLE001 - the library or the plain converter refuses: there is no file to judge
        return [Outcome(case.name, "export", "no export", f"{type(error).__name__}: {error}"[:120])]
    rows = folder / "rows.parquet"
    narrow(pd.DataFrame(trained)).rename(columns=str).to_parquet(rows)
    return [compared(case.name, path, plain, str(rows), said), compared(case.name, path, plain, None, said)]


def compared(name: str, path: Path, plain: Path, rows: str | None, said: str) -> Outcome:
    """One run of validate against the oracle's word."""
    mode = "data" if rows else "probes"
    try:
        report = validate(str(path), str(plain), data=rows, probes="on" if rows else "only", allow_pickle=True)
    except InferBenchError as error:
        return Outcome(name, mode, "cannot run", said, str(error))
    except Exception as error:  # noqa: BLE001 - a bug of the tool, which the tally shows
        return Outcome(name, mode, "cannot run", said, f"BUG {type(error).__name__}: {error}")
    (result,) = report.results
    found = {4: "caught" if said else "FALSE ALARM", 0: "MISS" if said else "right"}
    outcome = found.get(report.verdict.exit_code, "cannot run")
    causes = ", ".join(cause.name for cause in result.causes) or ("not explained" if result.not_explained else "")
    failing = ", ".join(f"{group.name} {group.failing}" for group in result.groups if group.failing)
    return Outcome(name, mode, outcome, said, f"{failing} [{causes}] {result.failed or ''}")


def judged(plain: Path, model: Any, trained: Any) -> str:
    """What is wrong with a file, in words; nothing when it is right."""
    wrong = []
    for name, table in groups(model, trained).items():
        if name in ("infinite", "far"):
            continue
        held = narrow(table)
        given = predictions(plain, held)
        if hasattr(model, "cluster_centers_"):
            given["numbers"] = None  # distances, and the cluster's number is the answer
        fault = differs(ask(model, held), given, held)
        wrong += [f"{name}: {fault}"] if fault else []
    return "; ".join(wrong)


def narrow(table: Any) -> Any:
    """Numbers as float32 can hold them, in double."""
    if not isinstance(table, pd.DataFrame):
        return np.asarray(table).astype(np.float32).astype(np.float64)
    numeric = [name for name, kind in table.dtypes.items() if getattr(kind, "kind", "O") == "f"]
    return table.astype(dict.fromkeys(numeric, np.float32)).astype(dict.fromkeys(numeric, np.float64))


def differs(truth: Truth, given: dict[str, Any], rows: Any) -> str:
    """A difference in words, or nothing."""
    refused, numbers = truth.refused, given["numbers"]
    if refused.any():
        holes = np.asarray(pd.DataFrame(rows).isna().any(axis=1))
        confident = refused & holes & (True if numbers is None else np.isfinite(numbers).any(axis=1))
        if confident.any():
            return f"{confident.sum()} refused rows are answered"
    kept = ~refused
    if not kept.any():
        return ""
    if truth.values is not None and numbers is not None:
        fault = off(truth.values, numbers[kept], truth.labels is not None)
        if fault:
            return fault
    if truth.labels is None or given["labels"] is None:
        return ""
    changed = np.array([a != b for a, b in zip(truth.labels.tolist(), given["labels"][kept].tolist(), strict=True)])
    if truth.values is not None:
        changed &= np.isfinite(truth.values).all(axis=1)
    return f"{changed.sum()} labels" if changed.any() else ""


def off(ours: Any, theirs: Any, bounded: bool) -> str:
    """Answers that are too far apart, in words."""
    if ours.shape[1] == 2 and theirs.shape[1] == 1:
        ours = ours[:, 1:]
    if ours.shape != theirs.shape:
        return f"shape {theirs.shape}, not {ours.shape}"
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(all="ignore"):
        gap = np.abs(ours - theirs)
        bad = ~same & ~(gap <= ATOL + (0.0 if bounded else RTOL * np.abs(ours)))
    return f"{bad.any(axis=1).sum()} rows, max {np.nanmax(np.where(same, 0, gap)):.1e}" if bad.any() else ""


def work(index: int, processes: bool, sender: Any) -> None:
    """One case in a process of its own."""
    warnings.simplefilter("ignore")
    logging.disable()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        if not processes:
            for place in WORKERS:
                stack.enter_context(mock.patch(place, LocalWorker))
        sender.send(tried(every()[index], Path(folder)))


def limited(given: tuple[int, str, bool]) -> list[Outcome]:
    """One case within the time limit: some exports hang."""
    index, name, processes = given
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(index, processes, sender))
    process.start()
    sender.close()
    try:
        found: list[Outcome] = receiver.recv() if receiver.poll(LIMIT_S) else []
    except EOFError:
        found = []
    process.kill()
    process.join()
    return found or [Outcome(name, "export", "no export", "hangs or crashes")]


def main() -> int:
    """Try all, print what is not as it should be and the tally; 1 for a miss or a false alarm."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", default="", help="models whose name holds these words")
    parser.add_argument("--processes", action="store_true", help="with real workers")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--all", action="store_true", help="print every line")
    given = parser.parse_args()
    cases = [(i, case.name, given.processes) for i, case in enumerate(every()) if given.only in case.name]
    start = time.monotonic()
    outcomes = []
    with multiprocessing.pool.ThreadPool(given.jobs) as pool:
        for part in pool.imap_unordered(limited, cases):
            outcomes += part
            for found in part:
                if given.all or found.outcome in OUTCOMES[:3]:
                    told = f"{found.said[:160]} | {found.told[:160]}"
                    print(f"{found.outcome:12} {found.name:34} {found.mode:7} {told}", flush=True)
    tally = collections.Counter((found.mode, found.outcome) for found in outcomes)
    for (mode, outcome), count in sorted(tally.items()):
        print(f"{mode:8} {outcome:12} {count}")
    print(f"{len(cases)} models, {time.monotonic() - start:.0f} s")
    return 1 if any(found.outcome in OUTCOMES[:2] for found in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
