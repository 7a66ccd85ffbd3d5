"""A model behind HTTP, with another behind it.

    from infer_bench.serving import application

    app = application("model.onnx", fallback="model.txt")     # an ASGI application, to run or to mount

- `faults`: what is wrong with a request; `settings`: how a model is served.
- `rows/`: from JSON to what a session is fed. `paths/`: the model, the one behind it, and what waits for them.
- `endpoints/`: what is answered, by path. `metrics/`: what is counted.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infer_bench.serving.app import application

__all__ = ["application"]


def __getattr__(name: str) -> Any:
    # PEP 562: the settings can be read without the server's libraries.
    if name == "application":
        from infer_bench.serving.app import application

        return application
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
