"""`validate` of networks: outputs for the same requests, compared by their names."""

import functools
import time
from collections.abc import Callable

from infer_bench.measure.outputs.blocks import cut_blocks
from infer_bench.measure.outputs.group import NetworkGroup
from infer_bench.measure.validate.networks.answers import (
    compare_block,
    forgive_refusals,
    predict_outputs,
    require_answers,
)
from infer_bench.measure.validate.networks.causes import explain_candidates
from infer_bench.measure.validate.networks.other_requests import draw_unreached
from infer_bench.measure.validate.networks.repetition import except_unrepeatable
from infer_bench.measure.validate.networks.report import report_on
from infer_bench.measure.validate.networks.validation import NetworkValidation, RequestTable
from infer_bench.measure.validate.partial_reports import PartialReports
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.progress import Progress
from infer_bench.report.validate import ValidateReport


def compare_networks(
    validation: NetworkValidation, progress: Progress, save: Callable[[ValidateReport], None] | None
) -> ValidateReport:
    """The whole comparison; one that is interrupted or fails saves what is known."""

    def save_partial() -> None:
        if save is not None:
            save(report_on(validation, complete=False))

    try:
        own_progress = PartialReports(progress, save_partial) if save else progress
        for requests in validation.requests:
            _compare_group(validation, requests, own_progress)
        except_unrepeatable(validation)
        own_progress.update(1, "looking for causes")
        explain_candidates(validation)
        if _look_up_unreached(validation, own_progress):
            explain_candidates(validation)
    except BaseException:
        save_partial()
        raise
    return report_on(validation)


def _look_up_unreached(validation: NetworkValidation, progress: Progress) -> bool:
    """Compare on rows that no request has looked up and that are known to differ, and say whether there are such."""
    weights = [weight for candidate in validation.candidates for weight in candidate.unreached]
    if not weights or not isinstance(validation.reference, Predictor) or validation.settings.probes == "off":
        return False
    tables = list(draw_unreached(validation.reference, weights))
    for requests in tables:
        _compare_group(validation, requests, progress)
    return bool(tables)


def _compare_group(validation: NetworkValidation, requests: RequestTable, progress: Progress) -> None:
    for candidate in validation.candidates:
        candidate.groups[requests.name] = NetworkGroup(requests.name, validation.limits)
    start_s, total, count = time.monotonic(), requests.table.rows, 0
    for block in cut_blocks(requests.table, functools.partial(predict_outputs, validation)):
        compare_block(validation, requests.name, block, count)
        count += block.rows
        rate = count / max(1e-9, time.monotonic() - start_s)
        progress.update(count / total, f"{count:,} of {total:,} requests   {rate:,.0f} requests/s")
        if requests.path:
            validation.requests_per_s = rate
    require_answers(validation)
    if requests.may_refuse:
        for candidate in validation.candidates:
            forgive_refusals(validation, candidate, requests.name)
