"""The sentences around a gate's table: what was compared with what, how, how sure it is, and the verdict. Pure."""

from collections.abc import Sequence
from typing import Any

from infer_bench.libraries import of_engine
from infer_bench.report.common import Report
from infer_bench.report.gate import Check, Gate, Side
from infer_bench.reporters.gate.columns import name_metric
from infer_bench.reporters.gate.groups import CheckGroup
from infer_bench.reporters.text import numbers, ratios
from infer_bench.reporters.text.paths import file_name

__all__ = [
    "compare_environments",
    "describe_conditions",
    "describe_sensitivity",
    "describe_verdict",
    "label_group",
    "name_exit_code",
    "write_headings",
]


def write_headings(groups: Sequence[CheckGroup], gate: Gate) -> list[str]:
    """`new.onnx against old.onnx` of each group, with what else differs: the engine, the batch size."""
    short = [_write_heading(group, gate, named=False) for group in groups]
    return short if len(set(short)) == len(short) else [_write_heading(group, gate, named=True) for group in groups]


def _write_heading(group: CheckGroup, gate: Gate, *, named: bool) -> str:
    batch = "" if group.batch == 1 else f", batch {numbers.count(group.batch)}"
    if gate.mode == "absolute":
        return f"{file_name(group.model)} ({group.candidate}){batch}"
    base, model = _find_opponent(group, gate)
    place = base.removeprefix(group.candidate) if base.startswith(f"{group.candidate} in ") else ""
    origin = "the stored " if gate.mode == "stored" else ""
    if group.candidate != base and not place:
        if group.model == model:
            return f"{file_name(model)}, {group.candidate} against {origin}{base}{batch}"
        ours, theirs = _name_models(group.model, model)
        return f"{ours} ({group.candidate}) against {origin}{theirs} ({base}){batch}"
    who = f", {group.candidate}" if named else ""
    if group.model == model:
        return f"{file_name(model)}{who}, {_compare_versions(group, gate) or f'against itself{place}'}{batch}"
    ours, theirs = _name_models(group.model, model)
    return f"{ours} against {origin}{theirs}{place}{who}{batch}"


def _find_opponent(group: CheckGroup, gate: Gate) -> tuple[str, str]:
    """The baseline's candidate and model."""
    if group.baseline is not None:
        return group.baseline.candidate, group.baseline.model.path
    against = next((check.against for check in group.checks if check.against), gate.baseline.candidate)
    has_several = gate.mode == "stored" and len({side.model for side in gate.sides}) > 1
    return against, group.model if has_several else gate.baseline.model


def _name_models(model: str, other: str) -> tuple[str, str]:
    """Both file names; the paths where those are the same."""
    names = file_name(model), file_name(other)
    return (model, other) if names[0] == names[1] else names


def _compare_versions(group: CheckGroup, gate: Gate) -> str:
    """The engine's two versions, or what else differs between the environments; empty where nothing does."""
    if gate.mode == "stored":
        return "against the stored baseline"
    differing = _list_differences(gate.baseline, group.side) if group.side else []
    if not differing or group.side is None:
        return ""
    name = next((name for name in differing if name == _find_library(group, group.side)), differing[0])
    ours, theirs = _read_version(group.side, name), _read_version(gate.baseline, name)
    return f"{name} {ours} against {theirs}"


def _find_library(group: CheckGroup, side: Side) -> str:
    """The engine's package, as it is called where it is installed."""
    engine = group.result.engine if group.result else group.candidate.partition(":")[0]
    library = of_engine(engine)
    packages = library.packages if library is not None else (engine,)
    return next((name for name in packages if name in side.packages), engine)


def _read_version(side: Side, name: str) -> str:
    return (side.python if name == "python" else side.packages.get(name, "")) or numbers.MISSING


def _list_differences(one: Side, other: Side) -> list[str]:
    """What has another version on the two sides: `python`, then packages by name."""
    if not (one.packages or one.python) or not (other.packages or other.python):
        return []
    names = sorted({*one.packages, *other.packages})
    differing = [name for name in names if one.packages.get(name) != other.packages.get(name)]
    return (["python"] if one.python != other.python else []) + differing


def compare_environments(group: CheckGroup, gate: Gate) -> list[tuple[str, str]]:
    """Both sides and their versions, where any is not the same: what differs, and the engine's library always."""
    if group.side is None or gate.mode == "absolute" or not (names := _list_differences(gate.baseline, group.side)):
        return []
    library = _find_library(group, group.side)
    if library not in names and library in group.side.packages:
        names.append(library)
    return [
        (role, ", ".join(f"{name} {_read_version(side, name)}" for name in names))
        for role, side in (("baseline", gate.baseline), ("candidate", group.side))
    ]


def describe_conditions(gate: Gate) -> str:
    """`9 process pairs × 20 rounds, 7.9 s, interleaved, error rate 1 %`: how it was measured."""
    rounds = f" × {numbers.plural(gate.rounds, 'round')}"
    how = {
        "sessions": f"{numbers.plural(gate.layouts, 'layout')}{rounds} in one worker",
        "forks": f"{numbers.plural(gate.layouts, 'pair')} of forked processes{rounds}",
        "processes": f"{numbers.plural(gate.layouts, 'process pair')}{rounds}",
        "stored": f"{numbers.plural(gate.layouts, 'process', 'processes')}{rounds}",
        "absolute": f"{numbers.plural(gate.layouts, 'process', 'processes')}{rounds}",
    }[gate.mode]
    woven = ["interleaved"] if gate.mode in ("sessions", "forks", "processes") else []
    parts = [how, numbers.coarse(gate.measured_ns), *woven, f"error rate {ratios.allowance(gate.alpha)}"]
    return ", ".join(parts)


def describe_sensitivity(checks: Sequence[Check]) -> list[str]:
    """`would have seen +1.2 % at p50, +2.6 % at p95` and `would have failed from …`, as far as they are known."""
    texts = []
    for words, name in (("would have seen", "would_see"), ("would have failed from", "would_fail")):
        shares = [(name_metric(check), share) for check in checks if (share := getattr(check, name))]
        if shares:
            texts.append(f"{words} {', '.join(f'{ratios.at_least(share)} at {metric}' for metric, share in shares)}")
    return texts


def describe_verdict(report: Report[Any], groups: Sequence[CheckGroup]) -> str:
    """`regressed (p50, p95)`: the status and the metrics that brought it about, or the reasons where none did."""
    conclusion = report.verdict
    if conclusion is None:
        return "none: the run was not finished"
    also = ["regressed"] if conclusion.status == "different" else []
    guilty = {status: _list_guilty(status, groups) for status in [conclusion.status, *also]}
    if conclusion.status == "pass" or not guilty[conclusion.status]:
        return ": ".join(part for part in (conclusion.status, "; ".join(conclusion.reasons)) if part)
    return ", ".join(f"{status} ({metrics})" for status, metrics in guilty.items() if metrics)


def _list_guilty(status: str, groups: Sequence[CheckGroup]) -> str:
    """The metrics of that outcome, each once, with the group that they stand in where there are several."""
    texts = []
    for group in groups:
        metrics = ", ".join(dict.fromkeys(name_metric(check) for check in group.checks if check.outcome == status))
        texts += [": ".join(part for part in (label_group(group, groups), metrics) if part)] if metrics else []
    return "; ".join(texts)


def label_group(group: CheckGroup, groups: Sequence[CheckGroup]) -> str:
    """What tells a group from the others, in as few words as it takes: empty for one alone."""
    paths = {other.model for other in groups}
    alike = len({file_name(path) for path in paths}) < len(paths)
    parts = [group.model if alike else file_name(group.model)] if len(paths) > 1 else []
    parts += [group.candidate] if len({other.candidate for other in groups}) > 1 else []
    parts += [f"batch {numbers.count(group.batch)}"] if len({other.batch for other in groups}) > 1 else []
    return " ".join(parts)


def name_exit_code(report: Report[Any]) -> str:
    """`exit 1`; empty where there is no verdict."""
    return f"exit {report.verdict.exit_code}" if report.verdict else ""
