"""Time to a table for three candidates at default settings.

    python benchmarks/table_time.py [OPTION OF infer-bench bench]...
    python benchmarks/table_time.py --beside /elsewhere/bin/infer-bench --pairs 6

Absolute seconds, since a person waits for them, and the CPU time of all processes: the conversion to ONNX is made anew,
and the machine's load is printed. With `--beside` another installation's command takes turns with this one's, the
conversion at hand, so that the same load falls on both: the ratios of pairs hold on a busy machine, too.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

SAMPLES = Path(__file__).parent.parent / "sample_models"
OWN = str(Path(sys.executable).parent / "infer-bench")


class Run(NamedTuple):
    """What a command took, with all the processes that it has waited for."""

    seconds: float
    cpu_s: float


def main() -> None:
    """Run the README's command as a user does, twice: the second time with the conversion at hand; or in pairs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--beside", help="the infer-bench of another installation")
    parser.add_argument("--pairs", type=int, default=6)
    arguments, options = parser.parse_known_args()
    if arguments.beside:
        compare(OWN, arguments.beside, arguments.pairs, options)
        return
    with tempfile.TemporaryDirectory() as cache:
        for order in ("first", "second"):
            run = time_command(OWN, cache, options)
            print(f"{order} run: {describe(run)}\n", flush=True)


def compare(own: str, other: str, pairs: int, options: Sequence[str]) -> None:
    """Print each pair, whose order takes turns, and the median ratios of this command to the other one."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        caches = {own: one, other: two}
        for command, cache in caches.items():
            time_command(command, cache, options, quiet=True)
        ratios: list[Run] = []
        for number in range(pairs):
            order = (own, other) if number % 2 else (other, own)
            runs = {command: time_command(command, caches[command], options, quiet=True) for command in order}
            print(f"{describe(runs[own])}; beside it {describe(runs[other])}", flush=True)
            ratios.append(Run(*(mine / theirs for mine, theirs in zip(runs[own], runs[other], strict=True))))
    seconds, cpu_s = map(statistics.median, zip(*ratios, strict=True))
    print(f"median of {pairs} pairs: {seconds:.2f} of the other's time, {cpu_s:.2f} of its CPU time")


def time_command(command: str, cache: str, options: Sequence[str], *, quiet: bool = False) -> Run:
    """Run the README's command to its end. Raises `CalledProcessError` where it fails."""
    words = [command, "bench", str(SAMPLES / "credit.txt"), "--data", str(SAMPLES / "credit.parquet"), *options]
    environment = {**os.environ, "XDG_CACHE_HOME": cache}
    start = time.perf_counter()
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL if quiet else None)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    return Run(seconds, usage.ru_utime + usage.ru_stime)


def describe(run: Run) -> str:
    """`10.2 s (aim: 10) and 11.7 s of CPU, load average 0.6`."""
    return f"{run.seconds:.1f} s (aim: 10) and {run.cpu_s:.2f} s of CPU, load average {os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
