"""Two artefacts for one answer: the second answers where the first one cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from infer_bench.errors import EngineError
from infer_bench.model import ModelSpec, Phase
from infer_bench.serving.faults import RequestFault
from infer_bench.serving.paths.predictions import Predictions
from infer_bench.serving.paths.served_model import ServedModel
from infer_bench.serving.rows.rows import Rows
from infer_bench.typing import Array, Floats

Path = Literal["primary", "fallback"]
Reason = Literal["load", "refused", "non-finite"]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""Why the fallback answered: the model could not be loaded, it refused the rows, or it gave a value that is no finite
number where the fallback gives one."""


@dataclass(slots=True)
class Answer:
    """The predictions (rows, outputs) of one request, its labels (rows,) or None, and who gave them.

    `phases_ns` are those of the call that the request went along with. `outputs` are a network's by name, one a record.
    """

    predictions: Floats
    labels: list[Any] | None
    phases_ns: dict[Phase, int]
    path: Path = "primary"
    reason: Reason | None = None
    outputs: Sequence[Mapping[str, Array]] | None = None


class DualPath:
    """The model, which is None when it could not be loaded, and the fallback, if there is one; never neither."""

    def __init__(self, primary: ServedModel | None, fallback: ServedModel | None = None) -> None:
        self.primary, self.fallback = primary, fallback
        main = primary or fallback
        if main is None:
            raise ValueError("there is no model")
        self.main = main

    def answer(self, batch: Sequence[Rows]) -> list[Answer | RequestFault]:
        """An answer to each request, or what is wrong with it. One that the model refuses costs no other its answer."""
        try:
            parts = self.main.answer_each(batch)
        except EngineError as error:
            if len(batch) > 1:
                return [self.answer([rows])[0] for rows in batch]
            return [self._answer_instead(batch[0], error)]
        if self.primary is None:
            return [Answer(p.values, p.labels, p.phases_ns, "fallback", "load", p.outputs) for p in parts]
        answers = [Answer(part.values, part.labels, part.phases_ns, outputs=part.outputs) for part in parts]
        return [self._with_finite(rows, answer) for rows, answer in zip(batch, answers, strict=True)]

    def close(self) -> None:
        """Release both models."""
        for model in (self.primary, self.fallback):
            if model is not None:
                model.close()

    def _answer_instead(self, rows: Rows, error: EngineError) -> Answer | RequestFault:
        """The fallback's answer to what the first model refuses, or that refusal where there is none."""
        if self.fallback is None or self.primary is None:
            return self._fault(error)
        try:
            return self._ask_fallback(rows, "refused")
        except EngineError:
            return self._fault(error)

    def _ask_fallback(self, rows: Rows, reason: Reason) -> Answer:
        assert self.fallback is not None
        predictions = align(self.fallback.answer([rows]), self.fallback.spec, self.main.spec)
        outputs = predictions.outputs
        return Answer(predictions.values, predictions.labels, predictions.phases_ns, "fallback", reason, outputs)

    def _with_finite(self, rows: Rows, answer: Answer) -> Answer:
        """The fallback's answer where it has a finite value in the place of one that is not."""
        if self.fallback is None or np.isfinite(answer.predictions).all():
            return answer
        try:
            other = self._ask_fallback(rows, "non-finite")
        except EngineError:
            return answer
        if other.predictions.shape != answer.predictions.shape:
            return answer
        better = np.isfinite(other.predictions) & ~np.isfinite(answer.predictions)
        return other if better.any() else answer

    def _fault(self, error: EngineError) -> RequestFault:
        """The model refuses the rows; or, where it does not even answer a row that it has answered, it is broken."""
        message = error.message
        sample = self.main.sample
        if sample is not None:
            try:
                self.main.answer([sample])
            except EngineError:
                return RequestFault(500, "failed", f"the model fails: {message}")
        return RequestFault(422, "refused", message, columns=self.main.spec.feature_names)


def align(predictions: Predictions, spec: ModelSpec, reference: ModelSpec) -> Predictions:
    """The fallback's predictions in the model's class order, its labels under the model's names.

    Classes are matched by label; where they share none and are as many, by position. Labels are the model's own: 1, 1.0
    and True are one label, and not one in JSON.
    """
    ours, theirs = reference.classes, spec.classes
    if not ours or len(ours) != len(theirs):
        return predictions
    if set(ours) == set(theirs) and predictions.labels is not None:
        own = {label: label for label in ours}
        predictions = replace(predictions, labels=[own.get(label, label) for label in predictions.labels])
    if ours == theirs:
        return predictions
    if set(ours) == set(theirs):
        if predictions.values.shape[1] == 1:
            return replace(predictions, values=1.0 - predictions.values)
        return replace(predictions, values=predictions.values[:, [theirs.index(label) for label in ours]])
    if set(ours) & set(theirs) or predictions.labels is None:
        return predictions
    names = dict(zip(theirs, ours, strict=True))
    return replace(predictions, labels=[names.get(label, label) for label in predictions.labels])
