"""ONNX Runtime: files whose inputs are columns and whose output is numbers or labels, and networks of tensors."""

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from infer_bench.engines import feeds
from infer_bench.engines.base import Domain, Option
from infer_bench.engines.onnxruntime import float64 as onnx_float64
from infer_bench.engines.onnxruntime import inputs as onnx_inputs
from infer_bench.engines.onnxruntime import labels as onnx_labels
from infer_bench.engines.onnxruntime import outputs as onnx_outputs
from infer_bench.engines.onnxruntime.io_binding import BoundRun
from infer_bench.engines.onnxruntime.network import NetworkSession, open_network
from infer_bench.engines.onnxruntime.probe import gives_pair, probe_width
from infer_bench.engines.onnxruntime.providers import (
    LEVELS,
    PROFILE_TO,
    PROVIDERS,
    start_session,
    with_placement,
)
from infer_bench.engines.onnxruntime.training_mode import find_training_operators
from infer_bench.engines.session import (
    FedSession,
    errors_as,
    first_line,
    name_outputs,
    require,
    require_readable,
    to_canonical,
)
from infer_bench.errors import EngineError, InferBenchError, ModelError
from infer_bench.formats import onnx_graph as onnx_graph
from infer_bench.formats.graph_uses import read_input_uses
from infer_bench.formats.graph_uses.known_texts import find_known_texts
from infer_bench.formats.signature import read_signature
from infer_bench.model import ModelRef, ModelSpec
from infer_bench.typing import Array, Floats

Predict = Callable[[Any], Any]

_ON_OFF = ("on", "off")
_LOOKUPS = frozenset({"Gather", "GatherElements", "GatherND", "OneHot"})
"""Operators to which columns of floats may be positions, once they are cast."""


class OnnxRuntime:
    """Runs `InferenceSession.run` for one output, or a bound run with `io_binding=on`."""

    name = "onnxruntime"
    formats: frozenset[str] = frozenset({"onnx"})
    requires: tuple[str, ...] = ("onnxruntime",)
    extra = "onnxruntime"
    options: Mapping[str, Option] = {
        **feeds.OPTIONS,
        "threads": Option("threads inside one operator", "1"),
        "spinning": Option("whether idle threads spin while they wait for work", "on", _ON_OFF),
        "providers": Option("the execution provider", "cpu", tuple(PROVIDERS)),
        "fallback": Option("whether nodes that the provider cannot run may run on the CPU", "on", _ON_OFF),
        "io_binding": Option("bind input and output buffers once instead of passing them at each call", "off", _ON_OFF),
        "optimization": Option("how far the graph is rewritten at load", "all", tuple(LEVELS)),
        "output": Option("the output that is the answer; empty: the probabilities, or the first of numbers", ""),
    }

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """Nothing: ONNX Runtime imports numpy only."""
        return ()

    def open(self, model: ModelRef, options: Mapping[str, str]) -> "OnnxSession | NetworkSession":
        """Load the model. Raises `ModelError` for a broken file, `EngineError` for inputs that nothing can fill."""
        library = require("onnxruntime", "onnxruntime")
        require_readable(model.path)
        session = start_session(library, model, options)
        with onnx_graph.map_file(Path(model.path)) as content:
            signature, remarks = read_signature(content), find_training_operators(content).remarks
        network_or_table: OnnxSession | NetworkSession
        if signature.is_network:
            network_or_table = open_network(session, signature, model.path, options)
        else:
            network_or_table = open_table(library, session, model, options)
        spec = dataclasses.replace(network_or_table.spec, remarks=(*network_or_table.spec.remarks, *remarks))
        network_or_table.spec = with_placement(spec, session, options)
        network_or_table.end_profiling = session.end_profiling if options.get(PROFILE_TO) else None
        return network_or_table


def open_table(library: Any, session: Any, model: ModelRef, options: Mapping[str, str]) -> "OnnxSession":
    """The session of a graph whose inputs are columns; `session` is ONNX Runtime's, or has what is used of it."""
    with open(model.path, "rb") as file:
        content = file.read()
    nodes = onnx_graph.nodes(content)
    description = onnx_outputs.read_description(session.get_modelmeta().custom_metadata_map)
    inputs = onnx_inputs.read_tensors(session.get_inputs(), len(description.features) if description else _width(nodes))
    features = description.features if description else onnx_inputs.features(inputs)
    if sum(tensor.width for tensor in inputs) != len(features):
        raise ModelError(f"{model.name} describes {len(features)} columns and takes {inputs[0].width}")
    features = onnx_inputs.with_dtypes(features, inputs)
    if any(feature.kind == "string" for feature in features):
        texts = find_known_texts(content, {tensor.name: tensor.width for tensor in inputs})
        features = onnx_inputs.with_known_texts(features, inputs, texts)
    if any(feature.kind == "integer" for feature in features) or any(node.op in _LOOKUPS for node in nodes):
        features = onnx_inputs.with_positions(features, inputs, read_input_uses(content))
    feed = onnx_inputs.make_feed(inputs, features, description.encoded if description else (), options)
    meaning = onnx_outputs.interpret_outputs(session.get_outputs(), nodes, options["output"], description)
    assumed = description is None and onnx_outputs.is_assumed_pair(session.get_outputs(), nodes, meaning)
    if assumed and not gives_pair(session, meaning.output, inputs):
        meaning = onnx_outputs.as_two_outputs(meaning)
    spec = _spec(session, meaning, features, nodes, inputs)
    if description is None:
        spec = onnx_outputs.with_unread(spec, session.get_outputs(), meaning, options["output"])
    elif len(description.outputs) == len(spec.outputs):
        spec = dataclasses.replace(spec, outputs=description.outputs)
    predict = _predictor(library, session, meaning, inputs, options)
    labeller = onnx_labels.make_labeller(session, meaning, inputs)
    onnx_session = OnnxSession(spec, feed, predict, meaning, nodes, labeller)
    onnx_session.input_name = inputs[0].name if len(inputs) == 1 else ""
    onnx_session.tensors, onnx_session.path = inputs, model.path
    onnx_session.is_network = onnx_outputs.is_network(content, nodes, meaning, inputs)
    if description is None:
        onnx_session.own_output = onnx_outputs.find_own_output(session.get_outputs(), nodes, meaning)
    return onnx_session


class OnnxSession(FedSession):
    """A loaded ONNX graph of the file `path`, with these input `tensors`.

    `end_profiling` ends the profiling that `profile_to` began and gives the trace's path. `input_name` is what the
    graph calls its only input; empty where it has several. `own_output` is the library's description of the output of
    a graph whose numbers are what they are, and no probabilities; None of any other.
    """

    end_profiling: Callable[[], str] | None = None
    input_name = ""
    tensors: Sequence[onnx_inputs.Tensor] = ()
    is_network = False
    own_output: Any = None
    path: str = ""

    def __init__(
        self,
        spec: ModelSpec,
        feed: Callable[[Any], Any],
        predict: Predict,
        meaning: onnx_outputs.OutputMeaning,
        nodes: list[onnx_graph.Node],
        labeller: onnx_labels.PredictWithLabels | None = None,
    ) -> None:
        super().__init__(spec, feed, predict)
        self._labeller = labeller
        self._meaning = meaning
        self._nodes = nodes

    @property
    def output_name(self) -> str:
        """The name of the output that holds the predictions."""
        return self._meaning.output

    def postprocess(self, outputs: Any) -> Floats:
        """The canonical output, from a tensor, from ZipMap's list of maps, or from bare labels as 0 and 1."""
        if self._meaning.zipped:
            outputs = _unzipped(outputs, self.spec.classes)
        elif isinstance(outputs, list):
            outputs = np.concatenate([np.asarray(part) for part in outputs])
        if self._meaning.bare_label and self.spec.classes:
            labels = np.asarray(outputs).reshape(-1, 1)
            outputs = labels == np.asarray(self.spec.classes, dtype=labels.dtype).reshape(1, -1)
        return to_canonical(outputs, self.spec)

    def predictions_and_labels(self, inputs: Any) -> tuple[Floats, Array | None]:
        """One run for the canonical output and the graph's own labels (rows,), None where it has no output of them.

        Probabilities beyond 0 to 1 are handed on as they are: who compares wants to see them.
        """
        outputs, labels = (self.predict(inputs), None) if self._labeller is None else self._labeller(inputs)
        predictions = self.postprocess(outputs)
        return predictions, super().labels(predictions) if labels is None else labels

    def labels(self, predictions: Floats) -> Array | None:
        """The predicted labels; raises `EngineError` for probabilities that are none. Requests don't pay for that."""
        if self.spec.task == "binary":
            _complain(predictions)
        return super().labels(predictions)

    @functools.cached_property
    def _in_float64(self) -> onnx_float64.Run:
        if not self.is_network:
            raise EngineError("the graph is no network of float32")
        return onnx_float64.make_runner(self.path, self.output_name)

    def predict_in_float64(self, inputs: Any) -> Floats:
        """See `engines.float64.Float64Session`."""
        run = self._in_float64
        named_inputs = inputs if isinstance(inputs, Mapping) else {self.tensors[0].name: inputs}
        with errors_as(EngineError, "the graph cannot be computed in float64"), np.errstate(all="ignore"):
            return self.postprocess(run(dict(named_inputs)))

    def domain(self) -> Domain:
        """The thresholds of the trees; empty when a graph's trees see something other than its single input."""
        names, splits = self.spec.feature_names, defaultdict(set)
        for column, threshold in onnx_outputs.splits(self._nodes):
            if column < len(names):
                splits[names[column]].add(float(threshold))
        thresholds = {name: tuple(sorted(values)) for name, values in splits.items()}
        return Domain(thresholds, frozenset(thresholds))


def _complain(predictions: Floats) -> None:
    """Up to 1.25, ONNX Runtime answered 2.16 for a constant binary ensemble. NaN is what a model may give for NaN."""
    wrong = predictions[np.isfinite(predictions)]
    wrong = wrong[np.abs(wrong - 0.5) > 0.5 + 1e-6]
    if wrong.size:
        raise EngineError(
            f"the binary model answers {wrong[0]:g}, which is no probability",
            "onnxruntime before 1.28 has bugs in binary tree ensembles: upgrade it, or convert the model again",
        )


def _unzipped(maps: Any, classes: Any) -> Any:
    keys = list(classes) if maps and all(label in maps[0] for label in classes) else list(maps[0]) if maps else []
    return [[probabilities[key] for key in keys] for probabilities in maps]


def _width(nodes: list[onnx_graph.Node]) -> int | None:
    """A lower bound on the columns, from the trees, for a graph whose input does not say."""
    columns = [column for column, _ in onnx_outputs.splits(nodes)]
    return max(columns) + 1 if columns else None


def _spec(session: Any, meaning: onnx_outputs.OutputMeaning, features: Any, nodes: Any, inputs: Any) -> ModelSpec:
    count = {"binary": 1, "multiclass": len(meaning.classes)}.get(meaning.task)
    if meaning.zipped and count is None:
        count = len(meaning.classes)
    if count is None:
        shape = next(output.shape for output in session.get_outputs() if output.name == meaning.output)
        inner = shape[1:] if shape else []
        fixed = all(isinstance(size, int) for size in inner)
        declared_width = int(np.prod(inner)) if fixed and inner else None
        # onnxmltools and skl2onnx declare one column for several targets.
        uncertain = declared_width is None or (declared_width == 1 and onnx_outputs.targets(nodes) > 1)
        count = probe_width(session, meaning.output, inputs) if uncertain else int(declared_width or 1)
    return ModelSpec(
        meaning.task,
        features,
        name_outputs(count, meaning.classes),
        meaning.classes,
        onnx_outputs.trees(nodes),
        batch=next((tensor.batch for tensor in inputs if tensor.batch), None),
        labels_only=meaning.bare_label and bool(meaning.classes),
    )


def _predictor(
    library: Any,
    session: Any,
    meaning: onnx_outputs.OutputMeaning,
    inputs: list[onnx_inputs.Tensor],
    options: Mapping[str, str],
) -> Predict:
    plain = len(inputs) == 1 and inputs[0].plain
    if options["io_binding"] == "on":
        if not plain or meaning.zipped or meaning.bare_label or meaning.class_columns:
            raise EngineError("io_binding needs one float input and one float output", "use io_binding=off")
        return BoundRun(session, meaning.output, inputs[0].name)
    run, outputs, name = session.run, [meaning.output], inputs[0].name if plain else ""
    if meaning.class_columns:
        outputs = list(meaning.class_columns)

    def predict(rows: Any) -> Any:
        try:
            answers = run(outputs, {name: rows} if name else rows)
            return answers[0] if len(answers) == 1 else np.column_stack(answers)
        except InferBenchError:
            raise
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's errors have no common base
            raise EngineError(f"ONNX Runtime cannot predict: {first_line(error)}") from None

    return predict
