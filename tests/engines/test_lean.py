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
given = json.loads(sys.argv[1])
for name in given["lean"]:
    sys.modules.setdefault(name, None)
import numpy as np
from infer_bench.engines import registry
from infer_bench.model import ModelRef
session = registry.get(given["engine"]).open(ModelRef(**given["model"]), given["options"])
table = {name: np.array(values) for name, values in given["table"].items()}
record = {name: values[0] for name, values in given["table"].items()}
run = lambda request: session.postprocess(session.predict(session.preprocess(request))).tolist()
print(json.dumps([run(record), run(table)]))
"""


@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
def test_a_lean_worker_answers_the_same(name: str, tmp_path: Path) -> None:
    saved, engine = zoo.MAKERS[name](tmp_path), registry.get(name)
    options = check_options(engine, {"feed": "ndarray"})
    lean = engine.lean(saved.model, options)
    assert {"pandas", "sklearn"} <= set(lean)
    model = {field: getattr(saved.model, field) for field in ModelRef.__slots__}
    table = {column: values.tolist() for column, values in saved.table.items()}
    given = {"engine": name, "model": model, "options": options, "lean": lean, "table": table}
    done = subprocess.run([sys.executable, "-c", CODE, json.dumps(given)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    single, many = json.loads(done.stdout)
    np.testing.assert_allclose(many, saved.output, rtol=0, atol=1e-7)
    np.testing.assert_allclose(single, saved.output[:1], rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "sklearn", "onnxruntime"])
def test_pickles_and_dataframes_get_all_they_may_need(name: str) -> None:
    engine = registry.get(name)
    pickled, native = (ModelRef("m", "lightgbm", kind, "", 0) for kind in ("pickle", "lightgbm-text"))
    assert not engine.lean(pickled, check_options(engine, {"feed": "ndarray"}))
    assert not engine.lean(native, check_options(engine, {"feed": "dataframe"}))
