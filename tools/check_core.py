"""Check an installation without any engine: version, help, and saved reports given as arguments must work."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

HEAVY = ("catboost", "lightgbm", "onnx", "onnxruntime", "pandas", "pyarrow", "sklearn", "torch", "xgboost")
COMMAND = Path(sys.executable).with_name("infer-bench")


def run(*arguments: str) -> str | None:
    """The reason why `infer-bench ARGUMENTS` is wrong, or None: it must exit with 0 and say something."""
    process = subprocess.run(
        [COMMAND, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    line = f"infer-bench {' '.join(arguments)}"
    print(line)
    if process.returncode != 0:
        return f"{line}: exit code {process.returncode}\n{process.stderr}"
    return None if process.stdout.strip() else f"{line}: printed nothing"


def main() -> int:
    """0 when all is well; else 1, with the reasons on stderr."""
    present = [name for name in HEAVY if find_spec(name)]
    wrong = [f"the core alone installed {', '.join(present)}"] if present else []
    wrong += [] if sys.argv[1:] else ["no report to show was given"]
    commands = [["--version"], ["--help"], ["engines"], ["doctor"], ["doctor", "--quick", "--json", "-"]]
    commands += [["show", report] for report in sys.argv[1:]]
    wrong += [reason for command in commands if (reason := run(*command))]
    for reason in wrong:
        print(reason, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
