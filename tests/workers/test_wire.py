"""Frames over a real connection: what is sent arrives, and nonsense is told apart."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from infer_bench.typing import Array
from infer_bench.workers.connection import connect
from infer_bench.workers.wire import Frame, receive, send

DTYPES = npst.boolean_dtypes() | npst.integer_dtypes() | npst.unsigned_integer_dtypes() | npst.floating_dtypes()


@given(array=npst.arrays(DTYPES, npst.array_shapes(min_dims=0, min_side=0, max_side=5)), text=st.text())
def test_what_is_sent_arrives(array: Array, text: str) -> None:
    ours, theirs = connect()
    with ours, theirs:
        send(ours, Frame("kind", 7, {"text": text}, (array, array.T)))
        frame = receive(theirs)
    assert (frame.kind, frame.number, frame.body) == ("kind", 7, {"text": text})
    for one, other in zip(frame.arrays, (array, array.T), strict=True):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        assert one.tobytes() == other.tobytes()


def header(**changes: object) -> bytes:
    return json.dumps({"kind": "k", "number": 0, "body": None, "arrays": [], **changes}).encode()


NONSENSE = {
    "no JSON": [b"\xff\xfe"],
    "a list": [b"[1, 2]"],
    "a deep nest": [b"[" * 100_000 + b"]" * 100_000],
    "a key too many": [header(more=1)],
    "a number of text": [header(number="0")],
    "a kind of number": [header(kind=0)],
    "arrays by name": [header(arrays={"a": 1})],
    "objects": [header(arrays=[["|O", [1]]]), b"12345678"],
    "text": [header(arrays=[["<U4", [1]]]), b"1234567890123456"],
    "a structure": [header(arrays=[["f8,f8", [1]]]), b"1234567890123456"],
    "an unknown dtype": [header(arrays=[["zebra", [1]]]), b"1"],
    "a dtype of numbers": [header(arrays=[[8, [1]]]), b"1"],
    "a negative shape": [header(arrays=[["<f8", [-1]]]), b"1"],
    "a broken shape": [header(arrays=[["<f8", [1.5]]]), b"1"],
    "a shape beyond all memory": [header(arrays=[["<f8", [2**47]]]), b"1"],
    "a shape beyond all numbers": [header(arrays=[["<f8", [2**80]]]), b"1"],
    "an array too short": [header(arrays=[["<f8", [2]]]), b"12345678"],
    "an array too long": [header(arrays=[["<f8", [1]]]), b"1234567890123456"],
}


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_is_refused(nonsense: str) -> None:
    ours, theirs = connect()
    with ours, theirs:
        for part in NONSENSE[nonsense]:
            ours.send([memoryview(part)])
        with pytest.raises((ValueError, TypeError)):
            receive(theirs)


def test_an_end_is_an_end() -> None:
    ours, theirs = connect()
    ours.close()
    with theirs, pytest.raises(EOFError):
        receive(theirs)


def test_an_array_with_gaps_arrives_whole() -> None:
    ours, theirs = connect()
    with ours, theirs:
        send(ours, Frame("k", 0, None, (np.arange(6).reshape(2, 3)[:, ::2],)))
        (array,) = receive(theirs).arrays
    assert array.tolist() == [[0, 2], [3, 5]]


def test_many_arrays_and_none_cross_at_once() -> None:
    ours, theirs = connect()
    arrays = [np.arange(n % 5, dtype=np.int32) for n in range(1_300)]
    with ours, theirs:
        send(ours, Frame("k", 0, None, (*arrays, np.zeros((0, 3)), np.array(3.0))))
        *several, empty, scalar = receive(theirs).arrays
        assert [array.tolist() for array in several] == [array.tolist() for array in arrays]
        assert (empty.shape, scalar.shape) == ((0, 3), ())
        ours.send([memoryview(header(arrays=[["<i4", [4]]]))])
        ours.send([memoryview(b"12345678"), memoryview(b"1234")])
        with pytest.raises(ValueError, match="another size"):
            receive(theirs)


def test_a_long_array_crosses_while_it_is_read() -> None:
    ours, theirs = connect()
    array = np.arange(1 << 20)
    with ours, theirs, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send, ours, Frame("k", 0, None, (array, array[::2])))
        one, other = receive(theirs).arrays
        sending.result()
    assert np.array_equal(one, array)
    assert np.array_equal(other, array[::2])


def test_a_closed_connection_is_no_nonsense() -> None:
    ours, theirs = connect()
    theirs.close()
    ours.close()
    assert ours.closed
    for use in (lambda: ours.poll(0), lambda: ours.send([memoryview(b"1")]), ours.receive):
        with pytest.raises(OSError):  # noqa: PT011
            use()
