"""Runs a profile."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from infer_bench.cli.delivery import tell_verdict
from infer_bench.cli.profile_delivery import ProfileDelivery, encode
from infer_bench.cli.progress import ProgressLine
from infer_bench.cli.snakeviz.view import view
from infer_bench.measure.profile.prof_file import is_profile
from infer_bench.measure.profile.report import ProfileOutcome
from infer_bench.measure.profile.run import measure_profile
from infer_bench.measure.profile.settings import ProfileSettings, RequestSource


def run_profile(
    target: str,
    rows: RequestSource,
    candidates: Sequence[str],
    diff: str | None,
    settings: ProfileSettings,
    to: ProfileDelivery,
) -> int:
    """Profile, write and render; returns the verdict's exit code."""
    to.check(target, [rows.data, rows.input, diff])
    with to.open_files() as save:
        with ProgressLine() as progress:
            profile = measure_profile(
                target, rows=rows, candidates=candidates, diff=diff, settings=settings, progress=progress, save=save
            )
        to.deliver(profile)
        if to.view:
            with tempfile.TemporaryDirectory(prefix="infer-bench-") as folder:
                view(_file_to_view(target, profile, to, Path(folder)))
    return tell_verdict(profile.report)


def _file_to_view(target: str, profile: ProfileOutcome, to: ProfileDelivery, folder: Path) -> Path:
    if is_profile(target):
        return Path(target)
    if to.kind == "pstats" and to.output:
        return Path(to.output)
    path = folder / "profile.prof"
    path.write_bytes(encode(profile, "pstats"))
    return path
