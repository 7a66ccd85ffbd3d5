"""What comparisons of slow models share."""

import pytest

from infer_bench.measure.validate.probes import rows as probes


@pytest.fixture
def few_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """An eighth of the rows in most groups of probes: a library that refuses rows is asked for each by itself."""
    monkeypatch.setattr(probes, "FEW", 64)
