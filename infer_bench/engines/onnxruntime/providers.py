"""Execution providers: which one is asked for, whether the installed wheel has it, and which nodes it runs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from infer_bench.engines.onnxruntime.messages import shorten_error, suggest
from infer_bench.engines.session import errors_as, first_line, read_threads
from infer_bench.errors import EngineError, ModelError, UsageError
from infer_bench.libraries import of_engine
from infer_bench.model import ModelRef, ModelSpec, NodePlacement, Remark

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "rocm": "ROCMExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "dnnl": "DnnlExecutionProvider",
    "xnnpack": "XnnpackExecutionProvider",
    "azure": "AzureExecutionProvider",
}
LEVELS = {
    "all": "ORT_ENABLE_ALL",
    "extended": "ORT_ENABLE_EXTENDED",
    "basic": "ORT_ENABLE_BASIC",
    "off": "ORT_DISABLE_ALL",
}
PROFILE_TO = "profile_to"
"""Given beside the options: the prefix of the file that ONNX Runtime writes its operators' times to."""
PLACEMENT = "placement"
"""The code of a remark."""
_WHEELS = {
    "cuda": "onnxruntime-gpu",
    "tensorrt": "onnxruntime-gpu",
    "directml": "onnxruntime-directml",
    "openvino": "onnxruntime-openvino",
    "rocm": "onnxruntime-rocm",
}
"""The distributions that bring a provider, where one does."""
_CPU = PROVIDERS["cpu"]
_CPU_ONLY = ("TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor")
"""Operators for which no provider but the CPU's has a kernel."""
_SILENT = 4


def read_provider(name: str) -> str:
    """The key in `PROVIDERS` of a provider given by either name. Raises `UsageError` for one that is not known."""
    for key, provider in PROVIDERS.items():
        if name in (key, provider):
            return key
    raise UsageError(f"there is no provider {name!r}", f"one of: {', '.join(PROVIDERS)}")


def start_session(library: Any, model: ModelRef, options: Mapping[str, str]) -> Any:
    """A session of ONNX Runtime. Raises `EngineError` for a provider that is not there, or lacks kernels it needs."""
    provider = PROVIDERS[options["providers"]]
    _require_provider(library, options["providers"])
    settings = library.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads = read_threads(options), 1
    settings.log_severity_level = _SILENT
    if options.get(PROFILE_TO):
        settings.enable_profiling, settings.profile_file_prefix = True, options[PROFILE_TO]
    settings.graph_optimization_level = getattr(library.GraphOptimizationLevel, LEVELS[options["optimization"]])
    settings.add_session_config_entry("session.intra_op.allow_spinning", str(int(options["spinning"] == "on")))
    if provider != _CPU:
        settings.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        settings.add_session_config_entry("session.disable_cpu_ep_fallback", str(int(options["fallback"] == "off")))
    library.set_default_logger_severity(_SILENT)
    session = _create(library, model, settings, provider)
    if provider not in session.get_providers():
        raise EngineError(f"{provider} could not be started", "is its driver installed?")
    return session


def _create(library: Any, model: ModelRef, settings: Any, provider: str) -> Any:
    with errors_as(ModelError, f"ONNX Runtime cannot load {model.name}"):
        try:
            return library.InferenceSession(model.path, settings, providers=[provider])
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's errors have no common base
            if "fallback to CPU EP has been explicitly disabled" not in first_line(error, 10_000):
                reason = shorten_error(error, model.path)
                raise ModelError(f"ONNX Runtime cannot load {model.name}: {reason}", suggest(reason)) from None
        settings.add_session_config_entry("session.disable_cpu_ep_fallback", "0")
        placement = read_placement(library.InferenceSession(model.path, settings, providers=[provider]))
    raise EngineError(f"not every node runs where it must: {describe_placement(placement, provider)}")


def _require_provider(library: Any, name: str) -> None:
    if PROVIDERS[name] in library.get_available_providers():
        return
    wheel = _installed_wheel()
    other = f"{_WHEELS[name]} has it, and takes the place of {wheel.partition(' ')[0]}" if name in _WHEELS else ""
    providers = f"it has: {', '.join(library.get_available_providers())}"
    raise EngineError(f"the wheel {wheel} has no {PROVIDERS[name]}", f"{other}; {providers}" if other else providers)


def _installed_wheel() -> str:
    """The distribution of ONNX Runtime that is installed, with its version."""
    own = of_engine("onnxruntime")
    names = dict.fromkeys((*(own.packages if own else ()), *_WHEELS.values()))
    for name in names:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return "onnxruntime"


def read_placement(session: Any) -> tuple[NodePlacement, ...]:
    """Which provider runs which nodes, as ONNX Runtime has recorded it; empty for a version that does not."""
    ask_assignment = getattr(session, "get_provider_graph_assignment_info", None)
    if ask_assignment is None:
        return ()
    nodes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for part in ask_assignment():
        for node in part.get_nodes():
            nodes[part.ep_name, node.op_type].append(node.name)
    return tuple(NodePlacement(*key, tuple(names)) for key, names in sorted(nodes.items()))


def with_placement(spec: ModelSpec, session: Any, options: Mapping[str, str]) -> ModelSpec:
    """The spec with where the nodes run, of a session that was asked for another provider than the CPU's."""
    provider = PROVIDERS[options["providers"]]
    if provider == _CPU:
        return spec
    placement = read_placement(session)
    if placement:
        remark = Remark(PLACEMENT, describe_placement(placement, provider))
    else:
        remark = Remark(PLACEMENT, f"this ONNX Runtime does not tell which nodes run on {provider}", "a newer one does")
    return replace(spec, placement=placement, remarks=(*spec.remarks, remark))


def describe_placement(placement: Sequence[NodePlacement], provider: str) -> str:
    """`CUDA: 0 of 7 nodes; TreeEnsemble has only a CPU kernel`."""
    total = sum(len(part.nodes) for part in placement)
    own = sum(len(part.nodes) for part in placement if part.provider == provider)
    others = [part for part in placement if part.provider != provider]
    bound = list(dict.fromkeys(part.operator for part in others if part.operator in _CPU_ONLY))
    parts = [f"{_shorten(provider)}: {own} of {total} node{'' if total == 1 else 's'}"]
    parts += [f"{', '.join(bound)} {'has' if len(bound) == 1 else 'have'} only a CPU kernel"] if bound else []
    for other in dict.fromkeys(part.provider for part in others):
        operators = [part.operator for part in others if part.provider == other and part.operator not in bound]
        parts += [f"on {_shorten(other)}: {_list_operators(operators)}"] if operators else []
    return "; ".join(parts)


def _shorten(provider: str) -> str:
    return provider.removesuffix("ExecutionProvider")


def _list_operators(operators: Sequence[str], most: int = 6) -> str:
    more = len(operators) - most
    return ", ".join(operators[:most]) + (f" and {more} more" if more > 0 else "")
