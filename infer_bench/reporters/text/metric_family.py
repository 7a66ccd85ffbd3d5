"""A metric as the OpenMetrics format writes it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_SECONDS_PER_NS = 1e-9


@dataclass(slots=True)
class MetricFamily:
    """A metric: its name, unit and help, and the samples as labels and a value."""

    name: str
    help: str
    unit: str = ""
    kind: str = "gauge"
    samples: list[tuple[Mapping[str, str], float | int]] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """The lines of the exposition."""
        yield f"# TYPE {self.name} {self.kind}"
        if self.unit:
            yield f"# UNIT {self.name} {self.unit}"
        yield f"# HELP {self.name} {_escape(self.help)}"
        suffix = "_info" if self.kind == "info" else ""
        for labels, value in self.samples:
            inside = ",".join(f'{key}="{_escape(text)}"' for key, text in labels.items())
            yield f"{self.name}{suffix}{{{inside}}} {value}"


def _escape(text: str) -> str:
    """As the format writes a label's value; surrogates, which UTF-8 cannot hold, become their escapes."""
    plain = text.encode("utf-8", "backslashreplace").decode()
    return plain.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def convert_to_seconds(ns: float) -> float:
    """Nanoseconds as seconds."""
    return round(ns * _SECONDS_PER_NS, 15)
