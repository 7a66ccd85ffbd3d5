"""Functions to profile, and a folder of them."""

import json
import pstats
from pathlib import Path

import pytest

from infer_bench.cli.main import run

QUICK = ["--requests", "40"]

SERVICE = """
import asyncio

import pandas as pd
from sklearn.linear_model import LogisticRegression

COLUMNS = [f"column_{i}" for i in range(4000)]
MODEL = LogisticRegression().fit([[0.0] * 4000, [1.0] * 4000], [0, 1])

def predict_credit_score(application):
    row = {name: 0.0 for name in COLUMNS}
    row.update(application)
    frame = pd.DataFrame([row]).reindex(columns=COLUMNS)
    score = MODEL.predict_proba(frame.to_numpy())[0, 1]
    return {"score": float(score), "decision": "accept" if score > 0.5 else "refuse"}


async def awaited(application):
    return await asyncio.to_thread(predict_credit_score, application)
"""

LIGHT = """
import os, sys

seen = 0


def plain(application):
    return application["x"] * 2.0


def inner(application):
    raise LookupError("no such customer\\nand a second line")


def raises(application):
    return inner(application)


def raises_later(application):
    global seen
    seen += 1
    return inner(application) if seen > 100 else 1.0


def nothing(application):
    return None


def exits(application):
    sys.exit(3)


def dies(application):
    os._exit(3)


def slow(application):
    return sum(range(20000)) * 1.0
"""


def enter_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the test, with the functions and a record that goes with them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (tmp_path / "service.py").write_text(SERVICE)
    (tmp_path / "light.py").write_text(LIGHT)
    (tmp_path / "broken.py").write_text("import nothing_of_this_name\n")
    (tmp_path / "record.json").write_text(json.dumps({"column_1": 2.5, "column_7": 1, "x": 3, "nested": {"a": [1]}}))
    return tmp_path


def calls(profile: str, file: Path, name: str) -> int:
    """How often a function was called, as pstats reads it."""
    table = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    return sum(entry[1] for key, entry in table.items() if (key[0], key[2]) == (str(file), name))


def profile(*arguments: str) -> int:
    return run(["profile", *arguments])
