"""Every engine that is installed on a model of each family that it reads: writes `docs/engines.md`.

    python benchmarks/engines.py                               about five minutes; writes the page
    python benchmarks/engines.py --only sklearn --trees 2 --budget 1    one family, printed

Engines that are not installed have no figures.
"""

import argparse
import importlib.metadata
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from infer_bench import bench
from infer_bench.engines import registry
from infer_bench.libraries import LIBRARIES, ModelLibrary
from infer_bench.report.bench import BenchReport, BenchResult
from infer_bench.reporters.text import numbers

PAGE = Path(__file__).resolve().parent.parent / "docs" / "engines.md"
LAST_RELEASES = {
    "lightgbm": "2026-07",
    "xgboost": "2026-08",
    "sklearn": "2026-09",
    "catboost": "2026-02",
    "onnxruntime": "2026-10",
    "treelite": "2026-10",
    "lleaves": "2024-12",
    "tl2cgen": "2024-03",
    "sklearnex": "2026-10",
}
"""Of the library's newest version, as its package index had it in November 2026."""
UNSAFE = {"lightgbm": ("tl2cgen:allow=unsafe", "sklearnex:allow=unsafe")}
"""What is refused by default, and measured here to show why."""
ROWS, FEATURES, BATCH = 4_000, 30, 1_000
HEAD = """# Engines

Which engine answers a model as its own library does, and how fast. Written by `python benchmarks/engines.py` from one
run; ratios are to the model's own library fed arrays in that run, above 1 is faster. *max |Δ|* is the largest distance
of the answers on ordinary rows, *on probes* that on rows made to find differences (split points, NaN, infinities,
zeros), with how many of them differ by more than 1e-4. [Candidates](candidates.md) says how to ask for an engine, and
what each of them refuses.
"""


@dataclass(frozen=True)
class Family:
    """A model of a family: `save` trains it and gives its path."""

    name: str
    own: str
    save: Callable[[Path, Any, Any, int], Path]


def save_lightgbm(folder: Path, rows: Any, target: Any, trees: int) -> Path:
    """A binary classifier."""
    import lightgbm

    path = folder / "lightgbm.txt"
    quiet = {"objective": "binary", "num_leaves": 31, "verbose": -1, "num_threads": 1}
    lightgbm.train(quiet, lightgbm.Dataset(rows, target > 0), trees).save_model(path)
    return path


def save_xgboost(folder: Path, rows: Any, target: Any, trees: int) -> Path:
    """A binary classifier."""
    import xgboost

    path = folder / "xgboost.json"
    quiet = {"objective": "binary:logistic", "max_depth": 6, "nthread": 1}
    xgboost.train(quiet, xgboost.DMatrix(rows, target > 0), trees).save_model(path)
    return path


def save_forest(folder: Path, rows: Any, target: Any, trees: int) -> Path:
    """A pipeline of a scaler and a forest of a quarter of the trees."""
    import joblib
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    path, count = folder / "forest.joblib", max(1, trees // 4)
    forest = RandomForestRegressor(count, max_depth=10, random_state=0, n_jobs=1)
    model = make_pipeline(StandardScaler(), forest)
    joblib.dump(model.fit(np.nan_to_num(rows), target), path)
    return path


FAMILIES = (
    Family("lightgbm", "lightgbm:feed=ndarray", save_lightgbm),
    Family("xgboost", "xgboost:feed=ndarray", save_xgboost),
    Family("sklearn", "sklearn:feed=ndarray", save_forest),
)


def draw_rows() -> tuple[Any, Any]:
    """Rows (ROWS, FEATURES) with gaps, in the range of measurements and of timestamps, and a target (ROWS,)."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(ROWS, FEATURES)).round(4) * np.logspace(0, 5, FEATURES)
    target = rows[:, 0] + np.sin(rows[:, 1]) + random.normal(size=ROWS) / 4
    rows[::11, 3] = np.nan
    return rows, target


def measure(family: Family, folder: Path, trees: int, budget_s: float) -> BenchReport:
    """The candidates of one family's model, the model's own library first."""
    rows, target = draw_rows()
    if family.name == "sklearn":
        rows = np.nan_to_num(rows)
    path, data = family.save(folder, rows, target, trees), folder / "rows.npy"
    np.save(data, rows)
    installed = {info.name for info in registry.available() if info.version is not None}
    unsafe = [text for text in UNSAFE.get(family.name, ()) if text.partition(":")[0] in installed]
    candidates = [family.own, "all", *unsafe]
    return bench(str(path), data=str(data), candidates=candidates, batches=(1, BATCH), budget_s=budget_s)


def lines_of(family: str, report: BenchReport) -> Iterator[str]:
    """A line of the table for each engine that answered."""
    single = {result.candidate: result for result in report.results if result.batch == 1}
    batch = {result.candidate: result for result in report.results if result.batch == BATCH}
    for name, result in single.items():
        if result.failed is None and result.options.get("feed") != "dataframe":
            yield _line(family, result, batch.get(name))


def _line(family: str, result: BenchResult, batch: BenchResult | None) -> str:
    name = result.engine + (" `allow=unsafe`" if result.options.get("allow") == "unsafe" else "")
    compiling = "–" if result.compilation is None else numbers.coarse(result.compilation.load_ns)
    cells = [name, family, numbers.delta(result.max_abs_delta or 0.0), _probes(result), _ratio(result), _ratio(batch)]
    return "| " + " | ".join([*cells, compiling]) + " |"


def _probes(result: BenchResult) -> str:
    test = result.probes
    if test is None or test.failed is not None:
        return "–"
    failing = f" ({numbers.count(test.failing)} of {numbers.count(test.rows)} differ)" if test.failing else ""
    return numbers.delta(test.max_abs_delta) + failing


def _ratio(result: BenchResult | None) -> str:
    if result is None or result.failed is not None:
        return "–"
    return "1" if result.speedup is None else numbers.ratio(result.speedup.ratio)


def library_lines() -> Iterator[str]:
    """A line for each library: version, families, installed size, last release."""
    versions = {info.name: info.version or "not installed" for info in registry.available()}
    for library in LIBRARIES:
        if library.engine in LAST_RELEASES:
            reads = ", ".join(filter(None, (library.family, *library.reads)))
            cells = [library.engine, versions[library.engine], reads, _size(library), LAST_RELEASES[library.engine]]
            yield "| " + " | ".join(cells) + " |"


def _size(library: ModelLibrary) -> str:
    """What its distributions take on this disk."""
    sizes = [size for package in library.packages if (size := _installed_bytes(package))]
    return numbers.size(sum(sizes)) if sizes else "–"


def _installed_bytes(package: str) -> int:
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        return 0
    paths = [Path(str(file.locate())) for file in files]
    return sum(path.stat().st_size for path in paths if path.is_file())


def write_page(reports: dict[str, BenchReport]) -> str:
    """The page's text."""
    lines = [HEAD, "| engine | model | max \\|Δ\\| | on probes | one row | 1,000 rows | compiles |", "|---" * 7 + "|"]
    lines += [line for family, report in reports.items() for line in lines_of(family, report)]
    left_out = sorted({n.message for report in reports.values() for n in report.notices if n.code == "left-out"})
    lines += ["", "Left out, by the engine's own word:", "", *(f"- {message}" for message in left_out)]
    lines += ["", "| engine | version | reads | installed | last release |", "|---" * 5 + "|", *library_lines()]
    environment = next(iter(reports.values())).environment
    lines += ["", f"Measured on {environment.cpus_effective:g} CPUs ({environment.cpu_model}), one thread each.", ""]
    return "\n".join(lines)


def main() -> None:
    """Measure all families and write the page, or one and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=[family.name for family in FAMILIES])
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--budget", type=float, default=30.0, help="seconds of measuring a family")
    options = parser.parse_args()
    families = [family for family in FAMILIES if options.only in (None, family.name)]
    with tempfile.TemporaryDirectory() as folder:
        reports = {f.name: measure(f, Path(folder), options.trees, options.budget) for f in families}
    text = write_page(reports)
    if options.only is None:
        PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
