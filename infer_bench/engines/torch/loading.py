"""Opens an exported program without running code of its maker's."""

import contextlib
import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NoReturn
from unittest import mock

from infer_bench.engines.session import errors_as
from infer_bench.errors import ModelError, UnsafePickle
from infer_bench.formats.exported_programs import HINT, check_program

_WEIGHTS_ONLY = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
_PACKAGE = "torch.export.pt2_archive._package"


def load_program(library: Any, path: str, *, trusted: bool) -> Any:
    """The program. Raises `UnsafePickle` unless it is `trusted` or holds nothing that runs, `ModelError` if broken."""
    name = Path(path).name
    if not trusted:
        check_program(Path(path))
    with errors_as(ModelError, f"PyTorch cannot read {name}"):
        if trusted:
            return library.export.load(path)
        with _refuse_pickles(library, name):
            return library.export.load(path)


@contextlib.contextmanager
def _refuse_pickles(library: Any, name: str) -> Iterator[None]:
    """Have PyTorch read pickles of tensors alone: it reads any, where that fails."""
    refusals: list[BaseException] = []
    load = library.load

    def load_tensors(*arguments: Any, **options: Any) -> Any:
        try:
            return load(*arguments, **options)
        except UnpicklingError as error:
            refusals.append(error)
            raise

    def refuse(*_: object, **__: object) -> NoReturn:
        refusals.append(UnpicklingError())
        raise UnpicklingError

    with contextlib.ExitStack() as patches:
        patches.enter_context(mock.patch.dict(os.environ, {_WEIGHTS_ONLY: "1"}))
        patches.enter_context(mock.patch.object(library, "load", load_tensors))
        with contextlib.suppress(ImportError, AttributeError):
            package = importlib.import_module(_PACKAGE)
            patches.enter_context(mock.patch.object(package, "pickle", mock.Mock(loads=refuse)))
        try:
            yield
        except Exception:
            if refusals:
                raise UnsafePickle(f"{name} holds a pickle of more than tensors", HINT) from None
            raise
