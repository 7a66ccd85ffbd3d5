"""Every engine that is installed on a model of each family that it reads: writes `docs/engines.md`.

    python benchmarks/engines.py               about a quarter of an hour; keeps the results and writes the page
    python benchmarks/engines.py --print       prints the page that the results which are kept make
    python benchmarks/engines.py --only sklearn --trees 2 --budget 1    one family, printed

Engines that are not installed have no figures.
"""

import argparse
import importlib.metadata
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from models.families import FAMILIES, Family, draw_rows

from infer_bench import bench
from infer_bench.engines import registry
from infer_bench.libraries import LIBRARIES, ModelLibrary
from infer_bench.report.bench import BenchReport, BenchResult
from infer_bench.reporters.text import numbers

PAGE = Path(__file__).resolve().parent.parent / "docs" / "engines.md"
RESULTS = Path(__file__).resolve().parent / "results" / "engines.json"
"""What the page was written from."""
LAST_RELEASES = {
    "lightgbm": "2026-07",
    "xgboost": "2026-08",
    "sklearn": "2026-09",
    "catboost": "2026-02",
    "onnxruntime": "2026-10",
    "openvino": "2026-10",
    "treelite": "2026-10",
    "nvforest": "2026-10",
    "lleaves": "2024-12",
    "tl2cgen": "2024-03",
    "sklearnex": "2026-10",
}
"""Of the library's newest version, as its package index had it in November 2026."""
ADDED = {
    "lightgbm": ("tl2cgen:allow=unsafe", "sklearnex:allow=unsafe"),
    "network": ("openvino:precision=default",),
}
"""What is refused or not done by default, and measured here to show why."""
BATCH = 1_000
HEAD = """# Engines

Which engine answers a model as its own library does, and how fast. Written by `python benchmarks/engines.py`;
ratios are to the model's own library fed arrays in the same run, above 1 is faster. *max |Δ|* is the largest distance
of the answers on ordinary rows, *on probes* that on rows made to find differences (split points, NaN, infinities,
zeros), with how many of them differ by more than their tolerance, or are answered by one of the two alone.
[Candidates](candidates.md) says how to ask for an engine, and what each of them refuses.
"""


SHARED = "The machine was shared: between runs the ratios of batches varied by a factor of two, and once of four."


@dataclass(frozen=True)
class Line:
    """What one engine did with one model: differences, the ratios of speed, and the time of compiling (ns)."""

    engine: str
    is_unsafe: bool
    max_abs_delta: float
    probe_delta: float | None
    probes_failing: int
    probes: int
    single: float | None
    batch: float | None
    compile_ns: int | None


def measure(family: Family, folder: Path, trees: int, budget_s: float) -> BenchReport:
    """The candidates of one family's model, the model's own library first."""
    rows, target = draw_rows()
    if not family.has_gaps:
        rows = np.nan_to_num(rows)
    path, data = family.save(folder, rows, target, trees), folder / "rows.npy"
    np.save(data, rows)
    installed = {info.name for info in registry.available() if info.version is not None}
    unsafe = [text for text in ADDED.get(family.name, ()) if text.partition(":")[0] in installed]
    candidates = [family.own, "all", *unsafe]
    return bench(str(path), data=str(data), candidates=candidates, batches=(1, BATCH), budget_s=budget_s)


def lines_of(report: BenchReport) -> Iterator[Line]:
    """A line for each engine that answered."""
    single = {result.candidate: result for result in report.results if result.batch == 1}
    batch = {result.candidate: result for result in report.results if result.batch == BATCH}
    for name, result in single.items():
        if result.failed is None and result.options.get("feed") != "dataframe":
            yield _line(result, batch.get(name))


def _line(result: BenchResult, batch: BenchResult | None) -> Line:
    test = None if result.probes is None or result.probes.failed is not None else result.probes
    return Line(
        result.engine + (" `precision=default`" if result.options.get("precision") == "default" else ""),
        result.options.get("allow") == "unsafe",
        result.max_abs_delta or 0.0,
        None if test is None else test.max_abs_delta,
        0 if test is None else test.failing,
        0 if test is None else test.rows,
        _ratio(result),
        _ratio(batch),
        None if result.compilation is None else result.compilation.load_ns,
    )


def _ratio(result: BenchResult | None) -> float | None:
    if result is None or result.failed is not None:
        return None
    return 1.0 if result.speedup is None else result.speedup.ratio


def write_line(family: str, line: Line) -> str:
    """The line as the page's table has it."""
    failing = f" ({numbers.count(line.probes_failing)} of {numbers.count(line.probes)} differ)"
    probes = "–" if line.probe_delta is None else numbers.delta(line.probe_delta) + failing * bool(line.probes_failing)
    compiling = "–" if line.compile_ns is None else numbers.coarse(line.compile_ns)
    name = line.engine + " `allow=unsafe`" * line.is_unsafe
    cells = [
        name,
        family,
        numbers.delta(line.max_abs_delta),
        probes,
        _times(line.single),
        _times(line.batch),
        compiling,
    ]
    return "| " + " | ".join(cells) + " |"


def _times(ratio: float | None) -> str:
    """A ratio to two digits: more are noise."""
    return "–" if ratio is None else "1" if ratio == 1 else f"{float(f'{ratio:.2g}'):,g}×"


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


def collect(reports: dict[str, BenchReport]) -> dict[str, Any]:
    """What the page is written from, as JSON has it."""
    environment = next(iter(reports.values())).environment
    return {
        "families": {family: [asdict(line) for line in lines_of(report)] for family, report in reports.items()},
        "left_out": sorted({n.message for report in reports.values() for n in report.notices if n.code == "left-out"}),
        "libraries": list(library_lines()),
        "machine": f"{environment.cpus_effective:g} CPUs ({environment.cpu_model})",
    }


def write_page(results: dict[str, Any]) -> str:
    """The page's text."""
    lines = [HEAD, "| engine | model | max \\|Δ\\| | on probes | one row | 1,000 rows | compiles |", "|---" * 7 + "|"]
    lines += [write_line(family, Line(**line)) for family, rows in results["families"].items() for line in rows]
    lines += ["", "Left out, by the engine's own word:", "", *(f"- {message}" for message in results["left_out"])]
    lines += ["", "| engine | version | reads | installed | last release |", "|---" * 5 + "|", *results["libraries"]]
    lines += ["", f"Measured on {results['machine']}, one thread each.", SHARED, ""]
    return "\n".join(lines)


def main() -> None:
    """Measure all families and write the page, or one and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=[family.name for family in FAMILIES])
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument(
        "--budget", type=float, default=120.0, help="seconds for a family, compiling and probes included"
    )
    parser.add_argument("--print", action="store_true", help="measure nothing, and write nothing")
    options = parser.parse_args()
    families = [family for family in FAMILIES if options.only in (None, family.name) and not options.print]
    with tempfile.TemporaryDirectory() as folder:
        reports = {f.name: measure(f, Path(folder), options.trees, options.budget) for f in families}
    results = collect(reports) if reports else json.loads(RESULTS.read_text(encoding="utf-8"))
    if reports and options.only is None:
        RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        PAGE.write_text(write_page(results), encoding="utf-8")
    print(write_page(results), end="")


if __name__ == "__main__":
    main()
