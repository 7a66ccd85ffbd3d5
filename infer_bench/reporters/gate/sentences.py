"""The sentences around a gate's table: what was compared with what, how, how sure it is, and the verdict. Pure."""

from collections.abc import Sequence
from typing import Any

from infer_bench.libraries import of_engine
from infer_bench.report.common import Report
from infer_bench.report.gate import Check, Gate, Side
from infer_bench.reporters.bench.names import file_name
from infer_bench.reporters.gate.columns import title
from infer_bench.reporters.gate.groups import Block
from infer_bench.reporters.text import numbers as format
from infer_bench.reporters.text import ratios as format_gate

__all__ = ["conditions", "environments", "exit_code", "headings", "label", "sensitivity", "verdict"]


def headings(blocks: Sequence[Block], gate: Gate) -> list[str]:
    """`new.onnx against old.onnx` of each block, with what else differs: the engine, the batch size."""
    short = [_heading(block, gate, named=False) for block in blocks]
    return short if len(set(short)) == len(short) else [_heading(block, gate, named=True) for block in blocks]


def _heading(block: Block, gate: Gate, *, named: bool) -> str:
    batch = "" if block.batch == 1 else f", batch {format.count(block.batch)}"
    if gate.mode == "absolute":
        return f"{file_name(block.model)} ({block.candidate}){batch}"
    base, model = _opponent(block, gate)
    place = base.removeprefix(block.candidate) if base.startswith(f"{block.candidate} in ") else ""
    stored = "the stored " if gate.mode == "stored" else ""
    if block.candidate != base and not place:
        if block.model == model:
            return f"{file_name(model)}, {block.candidate} against {stored}{base}{batch}"
        ours, theirs = _shown(block.model, model)
        return f"{ours} ({block.candidate}) against {stored}{theirs} ({base}){batch}"
    who = f", {block.candidate}" if named else ""
    if block.model == model:
        return f"{file_name(model)}{who}, {_versions(block, gate) or f'against itself{place}'}{batch}"
    ours, theirs = _shown(block.model, model)
    return f"{ours} against {stored}{theirs}{place}{who}{batch}"


def _opponent(block: Block, gate: Gate) -> tuple[str, str]:
    """The baseline's candidate and model."""
    if block.baseline is not None:
        return block.baseline.candidate, block.baseline.model.path
    against = next((check.against for check in block.checks if check.against), gate.baseline.candidate)
    return against, gate.baseline.model


def _shown(model: str, other: str) -> tuple[str, str]:
    """Both file names; the paths where those are the same."""
    names = file_name(model), file_name(other)
    return (model, other) if names[0] == names[1] else names


def _versions(block: Block, gate: Gate) -> str:
    """The engine's two versions, or what else differs between the environments; empty where nothing does."""
    if gate.mode == "stored":
        return "against the stored baseline"
    differing = _differing(gate.baseline, block.side) if block.side else []
    if not differing or block.side is None:
        return ""
    name = next((name for name in differing if name == _library(block, block.side)), differing[0])
    ours, theirs = _version(block.side, name), _version(gate.baseline, name)
    return f"{name} {ours} against {theirs}"


def _library(block: Block, side: Side) -> str:
    """The engine's package, as it is called where it is installed."""
    engine = block.result.engine if block.result else block.candidate.partition(":")[0]
    library = of_engine(engine)
    packages = library.packages if library is not None else (engine,)
    return next((name for name in packages if name in side.packages), engine)


def _version(side: Side, name: str) -> str:
    return (side.python if name == "python" else side.packages.get(name, "")) or format.MISSING


def _differing(one: Side, other: Side) -> list[str]:
    """What has another version on the two sides: `python`, then packages by name."""
    if not (one.packages or one.python) or not (other.packages or other.python):
        return []
    names = sorted({*one.packages, *other.packages})
    differing = [name for name in names if one.packages.get(name) != other.packages.get(name)]
    return (["python"] if one.python != other.python else []) + differing


def environments(block: Block, gate: Gate) -> list[tuple[str, str]]:
    """Both sides and their versions, where any is not the same: what differs, and the engine's library always."""
    if block.side is None or gate.mode == "absolute" or not (names := _differing(gate.baseline, block.side)):
        return []
    library = _library(block, block.side)
    if library not in names and library in block.side.packages:
        names.append(library)
    return [
        (role, ", ".join(f"{name} {_version(side, name)}" for name in names))
        for role, side in (("baseline", gate.baseline), ("candidate", block.side))
    ]


def conditions(gate: Gate) -> str:
    """`9 process pairs × 20 rounds, 7.9 s, interleaved, error rate 1 %`: how it was measured."""
    rounds = f" × {format.plural(gate.rounds, 'round')}"
    how = {
        "sessions": f"{format.plural(gate.layouts, 'layout')}{rounds} in one worker",
        "processes": f"{format.plural(gate.layouts, 'process pair')}{rounds}",
        "stored": f"{format.plural(gate.layouts, 'process', 'processes')}{rounds}",
        "absolute": f"{format.plural(gate.layouts, 'process', 'processes')}{rounds}",
    }[gate.mode]
    woven = ["interleaved"] if gate.mode in ("sessions", "processes") else []
    parts = [how, format.coarse(gate.measured_ns), *woven, f"error rate {format_gate.allowance(gate.alpha)}"]
    return ", ".join(parts)


def sensitivity(checks: Sequence[Check]) -> list[str]:
    """`would have seen +1.2 % at p50, +2.6 % at p95` and `would have failed from …`, as far as they are known."""
    said = []
    for words, name in (("would have seen", "would_see"), ("would have failed from", "would_fail")):
        known = [(title(check), share) for check in checks if (share := getattr(check, name))]
        if known:
            said.append(f"{words} {', '.join(f'{format_gate.at_least(share)} at {metric}' for metric, share in known)}")
    return said


def verdict(report: Report[Any], blocks: Sequence[Block]) -> str:
    """`regressed (p50, p95)`: the status and the metrics that brought it about, or the reasons where none did."""
    found = report.verdict
    if found is None:
        return "none: the run was not finished"
    also = ["regressed"] if found.status == "different" else []
    guilty = {status: _guilty(status, blocks) for status in [found.status, *also]}
    if found.status == "pass" or not guilty[found.status]:
        return ": ".join(part for part in (found.status, "; ".join(found.reasons)) if part)
    return ", ".join(f"{status} ({metrics})" for status, metrics in guilty.items() if metrics)


def _guilty(status: str, blocks: Sequence[Block]) -> str:
    """The metrics of that outcome, with the block that they stand in where there are several."""
    said = []
    for block in blocks:
        metrics = ", ".join(title(check) for check in block.checks if check.outcome == status)
        said += [": ".join(part for part in (label(block, blocks), metrics) if part)] if metrics else []
    return "; ".join(said)


def label(block: Block, blocks: Sequence[Block]) -> str:
    """What tells a block from the others, in as few words as it takes: empty for one alone."""
    paths = {other.model for other in blocks}
    alike = len({file_name(path) for path in paths}) < len(paths)
    parts = [block.model if alike else file_name(block.model)] if len(paths) > 1 else []
    parts += [block.candidate] if len({other.candidate for other in blocks}) > 1 else []
    parts += [f"batch {format.count(block.batch)}"] if len({other.batch for other in blocks}) > 1 else []
    return " ".join(parts)


def exit_code(report: Report[Any]) -> str:
    """`exit 1`; empty where there is no verdict."""
    return f"exit {report.verdict.exit_code}" if report.verdict else ""
