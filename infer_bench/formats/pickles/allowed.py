"""The list of globals that a pickle may import: exact names, never a module's prefix.

`pickles_allowed.txt` holds one `module.name` a line; a trailing `()` says that the pickle may also call it. Without it
the name may only be instantiated empty and given its state (NEWOBJ, BUILD), so no constructor runs.
"""

import _compat_pickle
from importlib.resources import files


def _read_list() -> tuple[frozenset[str], frozenset[str]]:
    lines = files("infer_bench").joinpath("pickles_allowed.txt").read_text("utf-8").splitlines()
    names = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    callables = frozenset(name.removesuffix("()").rstrip() for name in names if name.endswith("()"))
    return callables | frozenset(names) - frozenset(name for name in names if name.endswith("()")), callables


ALLOWED, CALLABLE = _read_list()


def modern(module: str, name: str) -> tuple[str, str]:
    """The Python 3 place of a Python 2 global, as `pickle` maps it for protocols below 3."""
    if (module, name) in _compat_pickle.NAME_MAPPING:
        return _compat_pickle.NAME_MAPPING[module, name]
    return _compat_pickle.IMPORT_MAPPING.get(module, module), name


def permitted(module: str, name: str) -> bool:
    """Whether a pickle may import this global, under its own name and under the one that Python 3 gives it."""
    return ".".join(modern(module, name)) in ALLOWED
