"""Candidates of which an execution provider of ONNX Runtime must run every node."""

from collections.abc import Sequence
from dataclasses import replace

from infer_bench.engines.onnxruntime.providers import read_provider
from infer_bench.errors import UsageError
from infer_bench.measure.candidates.spec import parse

_ENGINE, _PROVIDERS = "onnxruntime", "providers"


def require_provider(texts: Sequence[str], name: str | None) -> list[str]:
    """The candidates, with those of ONNX Runtime that name no other provider bound to this one, and to it alone.

    `name` is the provider's own (`CUDAExecutionProvider`) or the option's (`cuda`); without one all stay as they are.
    Raises `UsageError` for a provider that is not known, and where no candidate is bound.
    """
    if name is None:
        return list(texts)
    provider = read_provider(name)
    bound = {"providers": provider} | ({"fallback": "off"} if provider != "cpu" else {})
    specs = [parse(text) for text in texts]
    concerned = [s.engine == _ENGINE and s.options.get(_PROVIDERS, provider) == provider for s in specs]
    if not any(concerned):
        raise UsageError(f"no candidate runs on {name}", f"name one with -e {_ENGINE}:feed=ndarray")
    pairs = zip(specs, concerned, strict=True)
    return [replace(s, options={**s.options, **bound}, label="").text if is_bound else s.text for s, is_bound in pairs]
