"""What candidates would be fed, without a measurement."""

from collections.abc import Sequence
from functools import partial

from infer_bench.measure.candidates.candidates import choose_candidates, group_by_model
from infer_bench.measure.candidates.common_rows import load_common_rows
from infer_bench.measure.candidates.models import identify_model
from infer_bench.measure.candidates.rows import Rows
from infer_bench.measure.convert.cache import cached_onnx
from infer_bench.measure.settings import Settings
from infer_bench.progress import Progress


def draw_inputs(
    models: Sequence[str], candidates: Sequence[str], settings: Settings, progress: Progress
) -> dict[str, Rows]:
    """The requests that would be drawn for each model, by its name. Raises as `bench` does before it measures."""
    progress.update(0, "reading the model")
    refs = [identify_model(name, allow_pickle=settings.allow_pickle) for name in dict.fromkeys(models)]
    to_onnx = partial(cached_onnx, allow_pickle=settings.allow_pickle, rows=None, progress=progress)
    entries, _ = choose_candidates(refs, candidates, to_onnx, settings.threads)
    progress.update(0, "drawing requests")
    rows, _ = load_common_rows(group_by_model(entries), None, settings)
    names = {ref.path: ref.name for ref in refs}
    return {names.get(path, path): part for path, part in rows.items()}
