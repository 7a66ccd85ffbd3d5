"""`infer-bench engines`: what can run here."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infer_bench.engines.registry import EngineInfo


def engines() -> int:
    """List the engines that can run here.

    Version and formats of each, and the pip install of what is missing. None of them is imported.
    """
    from infer_bench.engines.registry import available
    from infer_bench.output import write_stdout

    rows = [("engine", "version", "reads")]
    rows += [(info.name, info.version or "missing", _describe_engine(info)) for info in available()]
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    lines = [f"{name:<{widths[0]}}  {version:<{widths[1]}}  {rest}".rstrip() for name, version, rest in rows]
    write_stdout("\n".join(lines) + "\n")
    return 0


def _describe_engine(info: "EngineInfo") -> str:
    return " ".join(sorted(info.formats)) if info.version else info.install or info.problem
