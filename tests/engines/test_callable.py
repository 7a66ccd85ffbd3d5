"""A user's function: what it may be, what it may return, and how its faults are told."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.engines.base import Session
from infer_bench.engines.callable import CallableSession
from infer_bench.errors import CannotRun, EngineError, ModelError
from infer_bench.model import ModelRef
from infer_bench.typing import TensorRequest
from infer_bench.workers.timing.loop import Stages
from tests.engines.zoo import answer, open_session

COUNT = itertools.count()
TABLE = {"a": np.array([1.0, 2.0, 3.0]), "b": np.array(["x", "y", None], dtype=object)}


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def make(source: str, name: str = "f", **options: str) -> Session:
        module = f"service{next(COUNT)}"
        (tmp_path / f"{module}.py").write_text(source)
        return open_session("callable", ModelRef(f"{module}:{name}", "callable", "python", "", 0), **options)

    return make


@pytest.mark.parametrize(
    ("return_value", "columns"),
    [
        ("r['a']", [1.0]),
        ("int(r['a']) > 0", [1.0]),
        ("{'p': r['a'], 'q': {'z': 5}}", [1.0, 5.0]),
        ("[r['a'], 2]", [1.0, 2.0]),
        ("numpy.array([[r['a'], 4.0]])", [1.0, 4.0]),
        ("numpy.float32(r['a'])", [1.0]),
        ("pandas.Series([r['a'], 3.0])", [1.0, 3.0]),
        ("pandas.DataFrame({'p': [r['a']]})", [1.0]),
        ("Answer(r['a'], 'text')", [1.0, float("nan")]),
        ("{'label': 'good', 'p': r['a']}", [float("nan"), 1.0]),
    ],
)
def test_the_numbers_of_an_answer_become_columns(service: Any, return_value: str, columns: list[float]) -> None:
    head = "import numpy, pandas, dataclasses\n@dataclasses.dataclass\nclass Answer:\n    p: float\n    t: str\n"
    session = service(f"{head}def f(r):\n    return {return_value}\n")
    np.testing.assert_array_equal(answer(session, {"a": 1.0, "b": "x"}), [columns])


@pytest.mark.parametrize(
    "source", ["def f(r):\n    yield 0.5\n", "async def g():\n    return 1.0\nf = lambda r: g()\n"]
)
@pytest.mark.filterwarnings("ignore:coroutine")
def test_what_was_never_run_is_no_answer(service: Any, source: str) -> None:
    with pytest.raises(EngineError, match="never run"):
        answer(service(source), {"a": 1.0})


@pytest.mark.parametrize(
    ("return_value", "text"),
    [
        ("r['a']", ""),
        ("'good'", "good"),
        ("{'label': b'good', 'p': r['a'], 'why': [None, 'age']}", "good\nage"),
        ("numpy.array(['x', 'y'])", "x\ny"),
        ("Answer(r['a'], 'text')", "text"),
        ("pandas.DataFrame({'p': ['z']})", "z"),
        ("datetime.date(2000, 1, 1)", ""),
    ],
)
def test_the_text_of_an_answer_is_told_apart(service: Any, return_value: str, text: str) -> None:
    head = (
        "import numpy, pandas, dataclasses, datetime\n@dataclasses.dataclass\nclass Answer:\n    p: float\n    t: str\n"
    )
    session = service(f"{head}def f(r):\n    return {return_value}\n")
    assert session.texts(session.predict(session.preprocess({"a": 1.0}))) == [text]


def test_a_batch_is_one_call_a_record_or_one_call(service: Any) -> None:
    single = service("def f(r):\n    r['a'] += 1\n    return r.pop('a')\n")
    assert answer(single, TABLE).tolist() == [[2.0], [3.0], [4.0]]
    record = {"a": 1.0}
    assert answer(single, record).tolist() == answer(single, record).tolist() == [[2.0]]
    assert record == {"a": 1.0}
    call_with_list = service("def f(rs):\n    return [{'p': r['a'] * 2} for r in rs]\n", call="list")
    assert answer(call_with_list, TABLE).tolist() == [[2.0], [4.0], [6.0]]
    framed = service("import pandas\ndef f(rs):\n    return pandas.DataFrame(rs)[['a', 'a']]\n", call="list")
    assert answer(framed, TABLE).tolist() == [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]
    short = service("def f(rs):\n    return [1.0]\n", call="list")
    with pytest.raises(EngineError, match="1 records where 3"):
        answer(short, TABLE)


def test_async_functions_and_methods_share_one_loop(service: Any) -> None:
    source = (
        "import asyncio\nloops = set()\nclass M:\n    async def f(self, r):\n        await asyncio.sleep(0)\n"
        "        loops.add(id(asyncio.get_running_loop()))\n        return r['a'] + len(loops)\nm = M()\n"
    )
    session = service(source, "m.f")
    assert answer(session, TABLE).tolist() == [[2.0], [3.0], [4.0]]
    session.close()
    session.close()


@pytest.mark.parametrize(
    ("source", "error", "says"),
    [
        ("def g(r): pass\n", ModelError, "has no 'f'"),
        ("f = 5\n", ModelError, "is a int"),
        ("import nothing_of_that_name\n", EngineError, "nothing_of_that_name"),
        ("def f(:\n", EngineError, "SyntaxError"),
        ("import sys\nsys.exit(3)\n", EngineError, "SystemExit"),
        ("1 / 0\n", EngineError, "ZeroDivisionError"),
        ("def f(r):\n    return r['zzz']\n", EngineError, r"KeyError: 'zzz' at service\d+.py:2"),
        ("import sys\ndef f(r):\n    sys.exit('bye')\n", EngineError, "SystemExit: bye"),
        ("def f(r):\n    pass\n", EngineError, "returned nothing"),
        ("def f(r):\n    return {}\n", EngineError, "without values"),
        ("def f(r):\n    raise ValueError('one\\ntwo')\n", EngineError, "ValueError: one at"),
    ],
)
def test_a_fault_is_one_line_that_says_where(service: Any, source: str, error: type[CannotRun], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        answer(service(source), {"a": 1.0})
    assert "\n" not in str(caught.value)


def test_a_target_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for target in ("no_such_module:f", "json", "json:", ":f", "no.such.module:f", "..a:f"):
        with pytest.raises(CannotRun) as caught:
            open_session("callable", ModelRef(target, "callable", "python", "", 0))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("output", "names"),
    [
        ({"scores": np.ones((1, 3)), "n": 2}, {"scores": "float64", "n": "int64"}),
        ((np.ones(2, np.float32), np.ones(3, np.uint8)), {"output0": "float32", "output1": "uint8"}),
        ([1.0, 2.0], {"output": "float64"}),
        (["a", "b"], {"output": "object"}),
    ],
)
def test_arrays_go_in_and_named_arrays_come_out(output: Any, names: dict[str, str]) -> None:
    image = np.zeros((2, 3), np.uint8)
    session = CallableSession(lambda request: (output, request)[0], "m:f", as_list=False)
    (record,) = session.preprocess(TensorRequest({"image": image, "rate": np.array(3)}))
    assert record["image"] is image
    assert record["rate"].shape == ()
    assert {name: array.dtype.name for name, array in session.named_outputs(session.predict([record])).items()} == names


@pytest.mark.parametrize("output", [None, object(), {"a": [1, [2, 3]]}])
def test_what_is_no_array_is_named(output: Any) -> None:
    session = CallableSession(lambda _: output, "m:f", as_list=False)
    with pytest.raises(EngineError, match="is no array"):
        session.named_outputs(session.predict([{}]))


@pytest.mark.parametrize(
    ("return_value", "is_plain"),
    [
        ("{'scores': [r['a'], 2.0], 'label': None}", True),
        ("numpy.array([r['a'], 1.0])", True),
        ("pandas.DataFrame({'p': [r['a']]})", True),
        ("Answer(r['a'], 'text')", True),
        ("[Later(r['a'])]", False),
        ("Answer(r['a'], Later(2.0))", False),
    ],
)
def test_reading_the_numbers_is_no_part_of_a_request_unless_it_computes_them(
    service: Any, return_value: str, is_plain: bool
) -> None:
    head = "import numpy, pandas, dataclasses\n@dataclasses.dataclass\nclass Answer:\n    p: float\n    t: object\n"
    later = "class Later:\n    def __init__(self, v): self.v = v\n    def __float__(self): return self.v\n"
    session = service(f"{head}{later}def f(r):\n    return {return_value}\n")
    stages, outputs = Stages.of(session, tensors=False), session.predict([{"a": 1.0}])
    np.testing.assert_array_equal(stages.postprocess(outputs), session.postprocess(outputs))  # the first one is read
    assert (stages.postprocess(outputs) is outputs) is is_plain
    with pytest.raises(EngineError, match="returned nothing"):
        stages.postprocess([None])


@pytest.mark.parametrize(
    ("raised", "text"),
    [
        ("ValueError('\\x1b[31mred \\x07\\x00 text')", r"ValueError: \\x1b\[31mred \\x07\\x00 text at "),
        ("Mute()", "f raised Mute at "),
    ],
)
def test_an_exception_that_steers_the_terminal_or_cannot_be_read_is_one_clean_line(
    service: Any, raised: str, text: str
) -> None:
    head = "class Mute(Exception):\n    def __str__(self): raise RuntimeError('no text')\n"
    with pytest.raises(EngineError, match=text):
        service(f"{head}def f(r):\n    raise {raised}\n").predict([{}])


@pytest.mark.parametrize(
    "body",
    [
        "BUFFER[:] = r['a'], 2.0\n    return BUFFER[:]",
        "BUFFER[:] = r['a'], 2.0\n    return {'p': BUFFER[:1], 'q': BUFFER[1]}",
        "DICT['p'] = r.pop('a')\n    return DICT",
        "return [r['a'], 2.0]",
    ],
)
def test_answers_in_a_place_that_each_call_overwrites_are_those_of_their_records(service: Any, body: str) -> None:
    session = service(f"import numpy\nBUFFER, DICT = numpy.zeros(2), {{'p': 0, 'q': 2}}\ndef f(r):\n    {body}\n")
    for _ in range(2):
        assert answer(session, {"a": np.array([1.0, 3.0, 5.0])}).tolist() == [[1, 2], [3, 2], [5, 2]]
