"""Engines that are known to be wrong for some models: they refuse these, unless the user insists."""

from collections.abc import Mapping

from infer_bench.engines.base import Option
from infer_bench.errors import EngineError

ALLOW = Option("unsafe: also run models that the library is known to compute otherwise", "safe", ("safe", "unsafe"))


def require_allowed(reason: str, options: Mapping[str, str]) -> None:
    """Raise `EngineError` with the reason, unless the candidate says `allow=unsafe`."""
    if options["allow"] != "unsafe":
        raise EngineError(reason, "allow=unsafe runs it all the same")
