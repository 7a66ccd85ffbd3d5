"""A worker that keeps unneeded modules from being imported still answers the same."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from infer_bench.engines import registry
from infer_bench.engines.base import check_options
from infer_bench.model import ModelRef
from tests.engines import zoo

CODE = """
import json, sys
job = json.loads(sys.argv[1])
for name in job["lean"]:
    sys.modules.setdefault(name, None)
import numpy as np
from infer_bench.engines import registry
from infer_bench.model import ModelRef
session = registry.get(job["engine"]).open(ModelRef(**job["model"]), job["options"])
table = {name: np.array(values) for name, values in job["table"].items()}
record = {name: values[0] for name, values in job["table"].items()}
run = lambda request: session.postprocess(session.predict(session.preprocess(request))).tolist()
print(json.dumps([run(record), run(table)]))
"""


@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
def test_a_lean_worker_answers_the_same(name: str, tmp_path: Path) -> None:
    sample, engine = zoo.MAKERS[name](tmp_path), registry.get(name)
    options = check_options(engine, {"feed": "ndarray"})
    lean = engine.lean(sample.model, options)
    assert {"pandas", "sklearn"} <= set(lean)
    model = {field: getattr(sample.model, field) for field in ModelRef.__slots__}
    table = {column: values.tolist() for column, values in sample.table.items()}
    job = {"engine": name, "model": model, "options": options, "lean": lean, "table": table}
    process = subprocess.run([sys.executable, "-c", CODE, json.dumps(job)], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    single, many = json.loads(process.stdout)
    np.testing.assert_allclose(many, sample.output, rtol=0, atol=1e-7)
    np.testing.assert_allclose(single, sample.output[:1], rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "sklearn", "onnxruntime"])
def test_pickles_and_dataframes_get_all_they_may_need(name: str) -> None:
    engine = registry.get(name)
    pickled, native = (ModelRef("m", "lightgbm", kind, "", 0) for kind in ("pickle", "lightgbm-text"))
    assert not engine.lean(pickled, check_options(engine, {"feed": "ndarray"}))
    assert not engine.lean(native, check_options(engine, {"feed": "dataframe"}))
