"""Hostile pickles: each is refused by name, and none gets to leave its mark."""

import bz2
import collections
import contextlib
import functools
import gzip
import io
import lzma
import pickle
import pickletools
import struct
import tempfile
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from infer_bench.errors import ModelError, UnsafePickle
from infer_bench.formats import pickles

COMMAND = "touch MARK"


class Runs:
    """Reduces to a call."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> Any:
        return self.call


def system() -> Runs:
    import os

    return Runs(os.system, COMMAND)


def text(body: str) -> bytes:
    return body.encode()


def in_estimator() -> bytes:
    model = LogisticRegression()
    model.coef_ = system()
    return pickle.dumps(model)


def in_joblib(compress: Any = 0) -> bytes:
    target = io.BytesIO()
    model = LogisticRegression()
    model.coef_, model.classes_ = np.ones(3), np.array(["a", system()], dtype=object)
    joblib.dump(model, target, compress=compress)
    return target.getvalue()


def memoised() -> bytes:
    """STACK_GLOBAL of strings that come out of the memo, put there far away."""
    return b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x30\x30" + b"h\x00h\x01\x93\x8c\x0atouch MARK\x85R."


def framed_array() -> bytes:
    """joblib's array whose frame goes on: what follows is data to one reader and opcodes to another."""
    plain = io.BytesIO()
    joblib.dump(np.ones(4), plain, protocol=2)
    body = plain.getvalue()
    build = body.index(b"b", body.index(b"numpy_array_alignment_bytes"))
    hidden = b"0cposix\nsystem\n(S'touch MARK'\ntR."
    frame = body[2 : build + 1] + hidden
    return b"\x80\x04\x95" + struct.pack("<Q", len(frame)) + frame + body[build + 1 :]


def deep() -> bytes:
    return b"\x80\x04" + b"]" * 100 + b"a" * 99 + b"0cposix\nsystem\n(X\x0a\x00\x00\x00touch MARKtR."


def legacy_names() -> bytes:
    """Protocol 2 maps Python 2 names: `__builtin__ eval` is `builtins.eval`."""
    return b"\x80\x02c__builtin__\neval\n(U\x20__import__('os').system('touch')\x85R."


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "global": (lambda: text("cos\nsystem\n(S'touch MARK'\ntR."), "os.system"),
    "inst": (lambda: text("(S'touch MARK'\niposix\nsystem\n."), "posix.system"),
    "obj": (lambda: b"(cposix\nsystem\nS'touch MARK'\no.", "posix.system"),
    "memoised": (memoised, "posix.system"),
    "estimator": (in_estimator, "posix.system"),
    "object array": (in_joblib, "posix.system"),
    "zlib": (lambda: in_joblib(("zlib", 3)), "posix.system"),
    "gzip": (lambda: in_joblib(("gzip", 3)), "posix.system"),
    "bz2": (lambda: in_joblib(("bz2", 3)), "posix.system"),
    "lzma": (lambda: in_joblib(("lzma", 3)), "posix.system"),
    "xz": (lambda: in_joblib(("xz", 3)), "posix.system"),
    "gzip plain": (lambda: gzip.compress(in_estimator()), "posix.system"),
    "bz2 plain": (lambda: bz2.compress(in_estimator()), "posix.system"),
    "xz plain": (lambda: lzma.compress(in_estimator()), "posix.system"),
    "zlib around arrays": (lambda: zlib.compress(in_joblib()), "posix.system"),
    "deep": (deep, "posix.system"),
    "python 2 name": (legacy_names, "builtins.eval"),
    "eval": (lambda: text("cbuiltins\neval\n(S'open(\"MARK\",\"w\")'\ntR."), "builtins.eval"),
    "getattr": (lambda: pickle.dumps(Runs(getattr, "a", "upper")), "builtins.getattr"),
    "dotted": (lambda: b"\x80\x04\x8c\x0csklearn.base\x8c\x1aBaseEstimator.get_params.x\x93.", "BaseEstimator."),
    "partial": (lambda: pickle.dumps(FunctionTransformer(functools.partial(print, 1))), "builtins.print"),
    "numpy load": (lambda: pickle.dumps(Runs(np.load, "x.npy", None, True)), "numpy.load"),
    "memmap": (lambda: pickle.dumps(Runs(np.memmap, "MARK", "uint8", "w+", 0, (4,))), "numpy.memmap"),
    "import helper": (lambda: text("cnumpy._core\n_ufunc_reconstruct\n(S'os'\nS'system'\ntR."), "_ufunc_reconstruct"),
    "joblib itself": (lambda: pickle.dumps(Runs(joblib.load, "other")), "joblib.numpy_pickle.load"),
    "after the break": (lambda: in_estimator()[:-8], "posix.system"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_the_global_and_runs_nothing(name: str) -> None:
    make, culprit = HOSTILE[name]
    Path("model").write_bytes(make())
    for read in (pickles.check, pickles.load):
        with pytest.raises(UnsafePickle, match=culprit.replace(".", r"\.")):
            read("model")
    assert [path.name for path in Path().iterdir()] == ["model"]


ODD: dict[str, tuple[bytes, str]] = {
    "constructor with arguments": (
        pickle.dumps(Runs(__import__("lightgbm").Booster, None, None, "secret.txt")),
        "calls lightgbm.basic.Booster",
    ),
    "class changed in place": (
        b"\x80\x04\x8c\x1esklearn.linear_model._logistic\x8c\x12LogisticRegression\x93}\x8c\x07predict\x8c\x03abssb.",
        "changes a class",
    ),
    "call of a call": (b"\x80\x04ccollections\nOrderedDict\n)R)R.", "what another call returned"),
    "base that is no builtin": (
        b"ccopy_reg\n_reconstructor\n(cnumpy\nndarray\ncnumpy\nndarray\nNtR.",
        "hands copyreg._reconstructor a class that is none of its own",
    ),
    "forged dtype": (
        b"cnumpy\ndtype\n(S'V8'\nI00\nI01\ntR(I3\nS'|'\nN(S'a'\nt(dS'a'\n(cnumpy\ndtype\n(S'O8'\nI00\nI01\ntRI0\ntsI8\nI1\nI0\ntb.",
        "does not hold together",
    ),
    "field outside of the element": (
        b"cnumpy\ndtype\n(S'V8'\nI00\nI01\ntR(I3\nS'|'\nN(S'a'\nt(dS'a'\n(cnumpy\ndtype\n(S'f8'\nI00\nI01\ntRI4096\ntsI8\nI1\nI0\ntb.",
        "does not hold together",
    ),
    "class for a function to call": (
        b"cnumpy.random._pickle\n__bit_generator_ctor\n(clightgbm.basic\nBooster\ntR.",
        "hands numpy.random._pickle.__bit_generator_ctor a class",
    ),
    "array made in secret": (
        b"cpandas.core.indexes.base\n_new_Index\n(cjoblib.numpy_pickle\nNumpyArrayWrapper\n(dtR(db.",
        "hands pandas.core.indexes.base._new_Index a class",
    ),
    "extension": (b"\x80\x02\x82\x01.", "extension registry"),
    "persistent id": (b"\x80\x04\x8c\x01aQ.", "persistent ids"),
    "persistent id, text": (b"Pabc\n.", "persistent ids"),
}


@pytest.mark.parametrize("name", ODD)
def test_refuses_what_no_ordinary_pickle_does(name: str) -> None:
    body, reason = ODD[name]
    Path("model").write_bytes(body)
    with pytest.raises(UnsafePickle, match=reason):
        pickles.load("model")


BROKEN: dict[str, bytes] = {
    "truncated": pickle.dumps(LogisticRegression())[:-20],
    "no stop": pickle.dumps([1, 2])[:-1],
    "stack underflow": b"\x80\x04R.",
    "unknown opcode": b"\x80\x04\xff.",
    "wild memo": b"\x80\x04Nr\xff\xff\xff\x7f.",
    "false length": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60) + b"x.",
    "false frame": b"\x80\x04\x95" + struct.pack("<Q", 1 << 60) + b"N.",
    "huge digits": b"L" + b"9" * 100_000 + b"\n.",
    "array in a frame": framed_array(),
    "list as key": b"\x80\x04}]Ns.",
    "future protocol": b"\x80\x09N.",
    "damaged zlib": zlib.compress(pickle.dumps(LogisticRegression()))[:-9],
    "no zlib": b"\x78\x9c" + b"nonsense",
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("trusted", [False, True])
def test_broken_files_end_in_one_line(name: str, trusted: bool) -> None:
    Path("model").write_bytes(BROKEN[name])
    with pytest.raises(ModelError) as caught:
        pickles.load("model", trusted)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress, bz2.compress, lzma.compress])
def test_a_bomb_is_refused_before_it_fills_the_memory(pack: Callable[[bytes], bytes], monkeypatch: Any) -> None:
    monkeypatch.setattr("infer_bench.formats.pickles.streams._ALLOWANCE", 1 << 20)
    body = b"\x80\x04B" + struct.pack("<I", 1 << 25) + bytes(1 << 25) + b"."
    Path("model").write_bytes(pack(body))
    with pytest.raises(ModelError, match="far more than its size"):
        pickles.check("model")


@pytest.mark.parametrize(("body", "culprit"), [(make(), culprit) for make, culprit in HOSTILE.values()])
def test_loading_alone_would_refuse_too(body: bytes, culprit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second wall holds when the first is taken away."""
    Path("model").write_bytes(body)
    monkeypatch.setattr("infer_bench.formats.pickles.loading.check", lambda path, allow_pickle: None)
    with pytest.raises(UnsafePickle, match=culprit.replace(".", r"\.")):
        pickles.load("model")
    assert [path.name for path in Path().iterdir()] == ["model"]


def test_a_trusted_pickle_runs() -> None:
    """The counterpart of every test above: the very same kind of file does leave its mark when it is let."""
    Path("model").write_bytes(in_estimator())
    pickles.load("model", allow_pickle=True)
    assert Path("MARK").exists()


def test_the_scan_lists_what_pickletools_lists() -> None:
    body = pickle.dumps(LogisticRegression().fit(np.arange(6).reshape(-1, 1), [0, 0, 0, 1, 1, 1]), protocol=2)
    Path("model").write_bytes(body)
    seen = {str(arg).replace(" ", ".") for op, arg, _ in pickletools.genops(body) if op.name == "GLOBAL"}
    renamed = {name.replace("copy_reg", "copyreg") for name in seen}
    assert pickles.scan("model").globals == renamed


def test_the_list_names_nothing_that_runs_code_or_touches_files() -> None:
    # partial is listed for scikit-learn's check_array alone; see `test_a_partial_of_anything_else_is_refused`
    forbidden = {"eval", "exec", "compile", "getattr", "open", "__import__", "system", "load", "memmap"}
    assert not [name for name in pickles.ALLOWED if name.rsplit(".", 1)[-1] in forbidden]
    assert not [
        name for name in pickles.ALLOWED if name.split(".")[0] in {"os", "posix", "subprocess", "sys", "operator"}
    ]
    assert not [name for name in pickles.ALLOWED if name.startswith("scipy.stats")], "their state is compiled"
    assert not [name for name in pickles.ALLOWED if "*" in name]
    assert pickles.CALLABLE <= pickles.ALLOWED


@pytest.mark.parametrize("called", [np.ndarray, np.dtype, collections.OrderedDict])
def test_a_partial_of_anything_else_is_refused(called: Callable[..., Any]) -> None:
    """Not even of what is listed itself."""
    Path("model").write_bytes(pickle.dumps(FunctionTransformer(functools.partial(called, "f8"))))
    with pytest.raises(UnsafePickle, match="partial"):
        pickles.check("model")


class Swapped:
    """A partial of the one function that may be, whose state puts another in its place."""

    def __reduce__(self) -> Any:
        from sklearn.utils.validation import check_array

        return functools.partial, (check_array,), (np.ndarray, ((3,),), {}, {})


def test_a_partial_keeps_its_function(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("model").write_bytes(pickle.dumps(FunctionTransformer(Swapped())))
    with pytest.raises(UnsafePickle, match="partial"):
        pickles.check("model")
    monkeypatch.setattr("infer_bench.formats.pickles.loading.check", lambda path, allow_pickle: None)
    with pytest.raises(UnsafePickle, match="partial"):
        pickles.load("model")


SEED = [pickle.dumps(LogisticRegression(), protocol) for protocol in (0, 2, 4, 5)]


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_damage_to_an_untrusted_file_ends_in_a_model_error_or_a_model(data: st.DataObject) -> None:
    body = bytearray(data.draw(st.sampled_from(SEED)))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.NamedTemporaryFile() as file, contextlib.suppress(ModelError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file.write(bytes(body))
        file.flush()
        pickles.load(file.name)
