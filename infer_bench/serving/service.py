"""What the endpoints share: the model and the one behind it, the queue, the numbers, and whether it is ready."""

from collections.abc import Sequence
from dataclasses import replace

from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.model import ModelSpec, Phase
from infer_bench.serving.metrics.counters import Counters
from infer_bench.serving.metrics.families import Numbers
from infer_bench.serving.paths.batcher import MOST_ROWS, Batcher
from infer_bench.serving.paths.dual_path import Answer, DualPath
from infer_bench.serving.paths.shadow import Shadow
from infer_bench.serving.rows.reader import RowReader
from infer_bench.serving.rows.rows import Record, Rows
from infer_bench.serving.settings import ServingSettings


class Service:
    """A model that is served under a `name`.

    `memories` are the numbers of every process that serves it, this one's among them.
    """

    def __init__(
        self,
        paths: DualPath,
        settings: ServingSettings,
        name: str,
        counters: Counters | None = None,
        memories: Sequence[Numbers] = (),
    ) -> None:
        self.paths, self.settings = paths, settings
        self.counters = counters or Counters()
        self.memories = memories or (self.counters.numbers,)
        main = paths.main
        self.name = name
        self.reader = RowReader(main.spec, sparse=settings.sparse, matrix=main.takes_numbers, fill=main.fill)
        main.warm_up()
        most = 1 if main.alone_because else MOST_ROWS
        self.batcher = Batcher(paths, limit=settings.queue, row_ns=main.row_ns, most_rows=most, count=self._count_batch)
        self.shadow = self._make_shadow()
        self.draining = False

    def _make_shadow(self) -> Shadow | None:
        paths, settings = self.paths, self.settings
        if not settings.shadow or paths.primary is None or paths.fallback is None:
            return None
        limits = replace(ValidateSettings(atol=settings.max_delta).limits(paths.primary.spec.task), worst=0)
        return Shadow(paths.primary, paths.fallback, settings.shadow, limits, self.counters)

    def _count_batch(self, requests: int, rows: int) -> None:
        self.counters.count_batch(requests, rows, self.batcher.waiting)

    def record(self, rows: Rows, answer: Answer, phases_ns: dict[Phase, int]) -> None:
        """Count an answer, and perhaps ask the other model too."""
        self.counters.count_prediction(phases_ns, answer.reason)
        if self.shadow is not None:
            self.shadow.consider(rows, answer)

    def close(self) -> None:
        """Release the models and the engine's thread."""
        self.batcher.close()
        if self.shadow is not None:
            self.shadow.close()
        self.paths.close()

    @property
    def example(self) -> Record | None:
        """A record that the model answers; None where none could be drawn."""
        sample = self.paths.main.sample
        return None if sample is None else sample.as_records()[0]

    @property
    def spec(self) -> ModelSpec:
        """What the model computes."""
        return self.paths.main.spec

    @property
    def ready(self) -> bool:
        """Whether requests should be sent here."""
        return not self.draining
