"""The lines for jq that the documentation gives: their names are the report's, and where jq is installed they run."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SAVED = Path(__file__).parent / "saved"
LINES = re.findall(r"^jq .*$", (ROOT / "docs" / "exports.md").read_text(encoding="utf-8"), re.MULTILINE)
REPORTS = ("gate", "bench", "bench", "bench", "gate", "validate")
EXPECTED = {0: "inconclusive", 2: "onnxruntime:feed=ndarray", 5: "true"}


def list_names(value: Any) -> set[str]:
    """Every key of the JSON schema's properties."""
    if isinstance(value, list):
        return {name for item in value for name in list_names(item)}
    if not isinstance(value, dict):
        return set()
    own = set(value.get("properties", ()))
    return own.union(*(list_names(item) for item in value.values()))


def test_the_names_are_those_of_the_report() -> None:
    schema = list_names(json.loads((ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8")))
    assert len(LINES) == len(REPORTS)
    names = {name for line in LINES for name in re.findall(r"\.([a-z_]\w+)", shlex.split(line)[2])}
    assert names <= schema


def test_they_run_where_jq_is_installed() -> None:
    if shutil.which("jq") is None:
        return
    for place, (line, report) in enumerate(zip(LINES, REPORTS, strict=True)):
        words = [*shlex.split(line)[:-1], str(SAVED / f"{report}.json")]
        process = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
        assert process.returncode == 0, process.stderr
        assert place not in EXPECTED or process.stdout.strip() == EXPECTED[place]
