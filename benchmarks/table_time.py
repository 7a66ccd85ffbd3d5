"""Time to a table for three candidates at default settings.

    python benchmarks/table_time.py [OPTION OF infer-bench bench]...

Absolute seconds, since a person waits for them: the conversion to ONNX is made anew, and the machine's load is printed.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SAMPLES = Path(__file__).parent.parent / "sample_models"


def main() -> None:
    """Run the README's command as a user does, twice: the second time with the conversion at hand."""
    command = [str(Path(sys.executable).parent / "infer-bench"), "bench", str(SAMPLES / "credit.txt")]
    command += ["--data", str(SAMPLES / "credit.parquet"), *sys.argv[1:]]
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "XDG_CACHE_HOME": cache}
        for run in ("first", "second"):
            start = time.perf_counter()
            subprocess.run(command, check=True, env=environment)
            seconds = time.perf_counter() - start
            print(f"{run} run: {seconds:.1f} s (aim: 15), load average {os.getloadavg()[0]:.1f}\n", flush=True)


if __name__ == "__main__":
    main()
