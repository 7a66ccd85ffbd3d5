"""How much CPU time the command takes to start, as ratios to `python -c pass` within one run.

    python benchmarks/startup.py [--rounds 40]

Also says which heavy modules each command imports (there should be none).
"""

import argparse
import random
import resource
import shutil
import statistics
import subprocess
import sys

HEAVY = (
    *("typer", "inspect", "rich", "msgspec"),
    *("numpy", "pandas", "lightgbm", "xgboost", "sklearn", "onnxruntime", "onnx", "pyarrow"),
)


def took(command: list[str]) -> float:
    """Seconds of CPU that a process takes, whatever else the machine has to do. It may end with any exit code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def imported(argument: str) -> list[str]:
    """The heavy modules that the command with this argument imports."""
    code = (
        f"import sys; sys.argv = ['infer-bench', {argument!r}]\n"
        "from infer_bench.__main__ import main\n"
        "code = main(); print('modules', *sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    modules = set(output.rsplit("modules", 1)[1].split())
    return [name for name in HEAVY if name in modules]


def main() -> None:
    """Print the ratios: the median over rounds, in each of which the commands run in random order."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    script = shutil.which("infer-bench", path=str(sys.executable).rsplit("/", 1)[0]) or "infer-bench"
    commands = {
        "pass": [sys.executable, "-c", "pass"],
        "--version": [script, "--version"],
        "--help": [script, "--help"],
        "bench --help": [script, "bench", "--help"],
        "bench --nope": [script, "bench", "--nope"],
        "nope": [script, "nope"],
        "engines": [script, "engines"],
        "bench none.txt": [script, "bench", "none.txt"],
        "show none.json": [script, "show", "none.json"],
    }
    ratios: dict[str, list[float]] = {name: [] for name in commands}
    base: list[float] = []
    for _ in range(parser.parse_args().rounds):
        seconds_by_command = {name: took(commands[name]) for name in random.sample(list(commands), len(commands))}
        base.append(seconds_by_command["pass"])
        for name, seconds in seconds_by_command.items():
            ratios[name].append(seconds / seconds_by_command["pass"])
    print(f"python -c pass: {statistics.median(base) * 1000:.1f} ms")
    for name, values in ratios.items():
        if name != "pass":
            print(f"{name:<14} {statistics.median(values):5.2f} × python -c pass")
    for argument in ("--version", "--help"):
        print(f"{argument} imports of {', '.join(HEAVY)}: {', '.join(imported(argument)) or 'none'}")


if __name__ == "__main__":
    main()
