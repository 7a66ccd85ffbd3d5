"""Networks under load: whole tensors by the Open Inference Protocol, those of a file or drawn from the model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench import bench, validate
from infer_bench.engines.http.protocols.choose import ProtocolChoice, ProtocolName
from infer_bench.errors import DataError, UsageError
from infer_bench.measure.load.local_server import serve_model
from infer_bench.measure.load.run import load
from infer_bench.measure.load.settings import LoadSettings, ServerSettings
from infer_bench.typing import Array

pytest.importorskip("uvloop")
PATIENT = ServerSettings(start_s=600.0)
FEW: dict[str, Any] = {"rate": 200.0, "duration_s": 0.1, "warmup_s": 0.0, "timeout_s": 600.0, "server": PATIENT}
"""20 requests."""
GRAPH = """<ir_version: 8, opset_import: ["" : 18]>
g (float[N,3,4,4] image, int64[N,L] ids) => (float[N,3] pooled, int64[N,L] twice) {
    axes = Constant<value = int64[2] {2, 3}>()
    pooled = ReduceMean<keepdims = 0>(image, axes)
    two = Constant<value = int64 {2}>()
    twice = Mul(ids, two)
}"""
ARRAYS: dict[str, Array] = {
    "image": np.linspace(-1, 1, 5 * 48, dtype=np.float32).reshape(5, 1, 3, 4, 4),
    "ids": np.arange(20).reshape(5, 1, 4),
}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    onnx = pytest.importorskip("onnx")
    path = tmp_path_factory.mktemp("network") / "two inputs.onnx"
    onnx.save(pytest.importorskip("onnx.parser").parse_model(GRAPH), path)
    return str(path)


@pytest.fixture(scope="module")
def url(network: str) -> Iterator[str]:
    with serve_model(network, PATIENT) as address:
        yield f"{address}/v2/models/two%20inputs"


def save(folder: Path, **arrays: Array) -> str:
    path = folder / "requests.npz"
    contents: dict[str, Any] = {**ARRAYS, **arrays}
    np.savez(path, **contents)
    return str(path)


@pytest.mark.parametrize("is_drawn", [True, False])
def test_a_network_in_place_of_an_address_is_served_and_sent_its_tensors(
    network: str, tmp_path: Path, is_drawn: bool
) -> None:
    report = load(network, data=None if is_drawn else save(tmp_path), settings=LoadSettings(**FEW))
    (result,) = report.results
    assert (result.errors, result.samples, result.protocol) == ({}, 20, "oip-binary")
    source = (report.settings["rows_source"], report.settings["rows_cycled"])
    assert source == (("drawn from the model", 1024) if is_drawn else ("requests.npz", 5))


@pytest.mark.parametrize("protocol", [None, "oip", "oip-binary"])
def test_the_requests_of_a_file_take_turns(
    network: str, url: str, tmp_path: Path, protocol: ProtocolName | None
) -> None:
    settings = LoadSettings(**FEW, protocol=ProtocolChoice(protocol), check=network if protocol == "oip" else None)
    report = load(url, data=save(tmp_path), settings=settings)
    (result,) = report.results
    if (comparison := result.comparison) is not None:
        assert (comparison.answers, comparison.different, comparison.outputs) == (20, 0, ())
    assert (result.errors, result.samples, result.protocol) == ({}, 20, protocol or "oip-binary")
    assert (report.settings["rows_source"], report.settings["rows_cycled"]) == ("requests.npz", 5)


def test_where_a_network_takes_its_tensors_is_asked_of_its_server(url: str, tmp_path: Path) -> None:
    report = load(url.partition("/v2")[0], data=save(tmp_path), settings=LoadSettings(**FEW))
    (result,) = report.results
    assert (result.target, result.errors) == (f"{url}/infer", {})


def test_a_service_of_a_network_is_compared_and_benched(network: str, url: str, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    other = str(tmp_path / "other.onnx")
    onnx.save(onnx.parser.parse_model(GRAPH.replace("{2}", "{3}")), other)
    data, service = save(tmp_path), url.partition("/v2")[0]
    (comparison,) = validate(other, service, data=data, timeout_s=600.0).results
    assert {output.output: output.failing for output in comparison.groups[0].outputs} == {"pooled": 0, "twice": 5}
    bench_report = bench(network, candidates=[f"http:url={service}"], rounds=2, processes=1, timeout_s=600.0)
    (result,) = bench_report.results
    assert (result.failed, result.max_abs_delta) == (None, None)
    assert [drawn.rule for drawn in bench_report.inputs][:1] == ["uniform in [0, 1)"]


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"ids": ARRAYS["ids"].ravel()}, "the input is ids int64"),
        ({"more": np.zeros(3)}, "'more', which is no input"),
        ({"image": np.full((5, 1, 3, 4, 4), np.nan, np.float32)}, "'image' of request 0 is not finite"),
    ],
)
def test_what_the_service_does_not_take_or_json_cannot_carry(
    url: str, tmp_path: Path, arrays: dict[str, Array], sentence: str
) -> None:
    settings = LoadSettings(**FEW, protocol=ProtocolChoice("oip"))
    with pytest.raises(DataError, match=sentence):
        load(url, data=save(tmp_path, **arrays), settings=settings)


def test_what_is_for_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is for rows"):
        load("http://127.0.0.1:9/v2/models/net", data=save(tmp_path), settings=LoadSettings(**FEW, batch=2))


def test_only_one_protocol_carries_tensors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only the Open Inference Protocol"):
        load("http://127.0.0.1:9/predict", data=save(tmp_path), settings=LoadSettings(**FEW))
    with pytest.raises(UsageError, match="no rows to send"):
        load("http://127.0.0.1:9/v2/models/net", settings=LoadSettings(**FEW))
