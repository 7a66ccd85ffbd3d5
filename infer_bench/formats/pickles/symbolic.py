"""A pickle machine that runs a pickle on inert stand-ins: nothing is imported, nothing is called."""

import pickle
import re
import struct
from collections.abc import Callable
from typing import Any, ClassVar

from infer_bench.errors import UnsafePickle
from infer_bench.formats.pickles.allowed import modern
from infer_bench.formats.pickles.arrays import pass_over
from infer_bench.formats.pickles.calls import classes_fit
from infer_bench.formats.pickles.dtypes import is_dtype, sound
from infer_bench.formats.pickles.streams import BoundedReader
from infer_bench.formats.pickles.values import Global, Instance

ARRAY_WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"
SKLEARN_VERSION = "_sklearn_version"
"""What every estimator of scikit-learn has in its state since 0.18."""
_VERSION = re.compile(r"\d+(\.\w+){1,4}")
_PAYLOAD_KEPT = 1 << 16
_FRAME_LARGEST = 1 << 28

PythonUnpickler: Any = pickle._Unpickler
"""The interpreter's own unpickler in Python, whose opcodes can be replaced one by one."""

Machine = Any
"""A `pickle._Unpickler`: its opcodes are handlers that work on `stack` and `memo`."""


class Symbolic(PythonUnpickler):  # type: ignore[misc]
    """Runs a pickle, recording the globals it names (`names`) and calls (`calls`), and what is odd (`oddities`)."""

    dispatch: ClassVar[dict[int, Callable[[Machine], None]]] = dict(PythonUnpickler.dispatch)

    def __init__(self, stream: BoundedReader, names: dict[str, None] | None = None) -> None:
        super().__init__(stream)
        self._source = stream
        self.names: dict[str, None] = {} if names is None else names
        self.calls: dict[str, None] = {}
        self.oddities: list[str] = []
        self.arrays = 0
        self.versions: dict[str, None] = {}
        self.cut_off = False

    def nested(self) -> "Symbolic":
        """A machine for a pickle that stands inside this one: what it does is recorded with what this one does."""
        inner = Symbolic(self._source, self.names)
        inner.calls, inner.oddities, inner.versions = self.calls, self.oddities, self.versions
        return inner

    def note_version(self, state: Any) -> None:
        """Keep what an estimator of scikit-learn says of the version that saved it."""
        version = state.get(SKLEARN_VERSION) if isinstance(state, dict) else None
        if isinstance(version, str) and _VERSION.fullmatch(version):
            self.versions[version] = None

    def find_class(self, module: str, name: str) -> Global:
        """Record the name as the running Python would look it up."""
        if self.proto < 3:
            module, name = modern(module, name)
        full = f"{module}.{name}"
        self.names[full] = None
        return Global(full)

    def call(self, maker: Any, args: Any) -> Instance:
        """Stand in for `maker(*args)`."""
        if not isinstance(args, tuple):
            self.oddities.append("it calls something with arguments that are no tuple")
            args = ()
        if not isinstance(maker, Global):
            self.oddities.append("it calls what another call returned")
            return Instance(None, args)
        self.calls[maker.name] = None
        if not classes_fit(maker.name, [one.name for one in args if isinstance(one, Global)]):
            self.oddities.append(f"it hands {maker.name} a class that is none of its own")
        return Instance(maker, args)

    def make(self, kind: Any, args: Any) -> Instance:
        """Stand in for `kind.__new__(kind, *args)`."""
        if not isinstance(kind, Global):
            self.oddities.append("it instantiates what is no class")
            return Instance(None)
        return Instance(kind, args if isinstance(args, tuple) else ())

    def skip(self, size: int) -> Any:
        """A payload: kept when short, else passed over."""
        if size <= _PAYLOAD_KEPT:
            return self.read(size)
        while size > 0:
            piece = len(self.read(min(size, 1 << 20)))
            if not piece:
                raise EOFError("a payload ends early")
            size -= piece
        return None


def _op(code: bytes) -> Callable[[Callable[[Machine], None]], Callable[[Machine], None]]:
    def register(handler: Callable[[Machine], None]) -> Callable[[Machine], None]:
        Symbolic.dispatch[code[0]] = handler
        return handler

    return register


@_op(pickle.REDUCE)
def _reduce(machine: Machine) -> None:
    args = machine.stack.pop()
    machine.stack[-1] = machine.call(machine.stack[-1], args)


@_op(pickle.NEWOBJ)
def _newobj(machine: Machine) -> None:
    args = machine.stack.pop()
    machine.stack.append(machine.make(machine.stack.pop(), args))


@_op(pickle.NEWOBJ_EX)
def _newobj_ex(machine: Machine) -> None:
    keywords, args = machine.stack.pop(), machine.stack.pop()
    if keywords:
        machine.oddities.append("it instantiates a class with keyword arguments")
    machine.stack.append(machine.make(machine.stack.pop(), args))


@_op(pickle.OBJ)
def _obj(machine: Machine) -> None:
    args = machine.pop_mark()
    machine.stack.append(machine.call(args[0], tuple(args[1:])))


@_op(pickle.INST)
def _inst(machine: Machine) -> None:
    module, name = machine.readline()[:-1].decode("ascii"), machine.readline()[:-1].decode("ascii")
    machine.stack.append(machine.call(machine.find_class(module, name), tuple(machine.pop_mark())))


@_op(pickle.BUILD)
def _build(machine: Machine) -> None:
    state = machine.stack.pop()
    target = machine.stack[-1]
    if isinstance(target, Instance):
        target.states.append(state)
        machine.note_version(state)
    else:
        machine.oddities.append("it changes a class, a function or a plain value in place")
    if isinstance(target, Instance) and target.name == "functools.partial" and not _keeps_function(target, state):
        machine.oddities.append("it puts another function into a partial")
    if is_dtype(target) and not sound(target):
        machine.oddities.append("it describes an array's elements in a way that does not hold together")
    if isinstance(target, Instance) and target.name == ARRAY_WRAPPER:
        machine.arrays += 1
        machine.stack[-1] = pass_over(machine, target)


def _keeps_function(partial: Instance, state: Any) -> bool:
    """Whether the state of a partial names the function that it was made with."""
    original, replacement = partial.args[:1], state[:1] if isinstance(state, tuple) else ()
    return bool(original and replacement) and getattr(original[0], "name", None) == getattr(replacement[0], "name", "")


@_op(pickle.APPEND)
def _append(machine: Machine) -> None:
    _extend(machine, [machine.stack.pop()])


@_op(pickle.APPENDS)
def _appends(machine: Machine) -> None:
    _extend(machine, machine.pop_mark())


@_op(pickle.ADDITEMS)
def _additems(machine: Machine) -> None:
    items = machine.pop_mark()
    target = machine.stack[-1]
    if isinstance(target, set):
        target.update(items)
    elif not isinstance(target, Instance):
        machine.oddities.append("it adds items to what is no set")


def _extend(machine: Machine, items: list[Any]) -> None:
    target = machine.stack[-1]
    if isinstance(target, list):
        target.extend(items)
    elif not isinstance(target, Instance):
        machine.oddities.append("it appends to what is no list")


@_op(pickle.SETITEM)
def _setitem(machine: Machine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    _update(machine, [key, value])


@_op(pickle.SETITEMS)
def _setitems(machine: Machine) -> None:
    _update(machine, machine.pop_mark())


def _update(machine: Machine, items: list[Any]) -> None:
    target = machine.stack[-1]
    if isinstance(target, dict):
        target.update(zip(items[::2], items[1::2], strict=True))
    elif not isinstance(target, Instance):
        machine.oddities.append("it sets items of what is no dict")


@_op(pickle.FRAME)
def _frame(machine: Machine) -> None:
    (size,) = struct.unpack("<Q", machine.read(8))
    if size > _FRAME_LARGEST:
        raise pickle.UnpicklingError(f"a frame of {size} bytes")
    machine._unframer.load_frame(size)
    machine.cut_off = machine.cut_off or len(machine._unframer.current_frame.getbuffer()) < size


def _payload(code: bytes, width: int, empty: Callable[[Any], Any]) -> None:
    @_op(code)
    def _load(machine: Machine) -> None:
        size = int.from_bytes(machine.read(width), "little")
        data = machine.skip(size)
        machine.append(Instance(None) if data is None else empty(data))


_payload(pickle.BINBYTES, 4, bytes)
_payload(pickle.BINBYTES8, 8, bytes)
_payload(pickle.BYTEARRAY8, 8, bytearray)
_payload(pickle.BINUNICODE, 4, lambda data: str(data, "utf-8", "surrogatepass"))
_payload(pickle.BINUNICODE8, 8, lambda data: str(data, "utf-8", "surrogatepass"))


def _memoise(code: bytes, width: int) -> None:
    @_op(code)
    def _store(machine: Machine) -> None:
        index = int.from_bytes(machine.read(width), "little") if width else int(machine.readline()[:-1])
        if not 0 <= index <= machine._source.position:
            raise pickle.UnpicklingError(f"a memo index of {index}")
        machine.memo[index] = machine.stack[-1]


_memoise(pickle.PUT, 0)
_memoise(pickle.BINPUT, 1)
_memoise(pickle.LONG_BINPUT, 4)


def _refuse(codes: tuple[bytes, ...], what: str) -> None:
    for code in codes:

        @_op(code)
        def _never(machine: Machine) -> None:
            raise UnsafePickle(f"the pickle uses {what}, whose meaning lies outside of the file")


_refuse((pickle.EXT1, pickle.EXT2, pickle.EXT4), "the extension registry")
_refuse((pickle.PERSID, pickle.BINPERSID), "persistent ids")
_refuse((pickle.NEXT_BUFFER, pickle.READONLY_BUFFER), "out-of-band buffers")
