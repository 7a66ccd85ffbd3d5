"""Execution providers: where nodes run is read from ONNX Runtime itself, and what cannot be is an error.

The wheel for CPUs has Azure's provider beside the CPU's, which runs nodes of its own domain alone: others fall back.
"""

from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from infer_bench import bench
from infer_bench.engines.onnxruntime.providers import describe_placement, read_placement, read_provider, start_session
from infer_bench.errors import EngineError, UsageError
from infer_bench.measure.candidates.required_provider import require_provider
from infer_bench.model import ModelRef, NodePlacement
from tests.engines.zoo import UNNAMED, answer, matrix, open_session, ref, table
from tests.faulty_networks import save_network

SAMPLE = Path(__file__).parents[3] / "sample_models" / "tumour_zipmap.onnx"
CUDA = "CUDAExecutionProvider"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> ModelRef:
    return ref(save_network(tmp_path_factory.mktemp("providers") / "n.onnx", batch="n"), "onnx", "onnx")


def test_a_wheel_without_the_provider_is_named(network: ModelRef) -> None:
    expected = (
        f"the wheel onnxruntime {version('onnxruntime')} has no DmlExecutionProvider.*onnxruntime-directml has it"
    )
    with pytest.raises(EngineError, match=expected):
        open_session("onnxruntime", network, providers="directml")


def test_nodes_that_fall_back_are_told_by_operator(network: ModelRef) -> None:
    session = open_session("onnxruntime", network, providers="azure")
    placement = session.spec.placement
    assert {part.provider for part in placement} == {"CPUExecutionProvider"}
    assert all(part.operator and part.nodes for part in placement)
    total = sum(len(part.nodes) for part in placement)
    (remark,) = [remark for remark in session.spec.remarks if remark.code == "placement"]
    assert remark.message.startswith(f"Azure: 0 of {total} nodes; on CPU: ")


def test_a_session_on_the_cpu_says_nothing_of_it(network: ModelRef) -> None:
    spec = open_session("onnxruntime", network).spec
    assert (spec.placement, [remark for remark in spec.remarks if remark.code == "placement"]) == ((), [])


def test_without_a_fallback_the_session_does_not_open(network: ModelRef) -> None:
    with pytest.raises(EngineError, match=r"not every node runs where it must: Azure: 0 of \d+ nodes"):
        open_session("onnxruntime", network, providers="azure", fallback="off")


def test_trees_have_only_a_kernel_for_the_cpu() -> None:
    trees = NodePlacement("CPUExecutionProvider", "TreeEnsemble", ("a",))
    rest = NodePlacement("CPUExecutionProvider", "Sigmoid", ("b", "c"))
    own = NodePlacement(CUDA, "Gemm", ("d",))
    assert describe_placement([trees], CUDA) == "CUDA: 0 of 1 node; TreeEnsemble has only a CPU kernel"
    expected = "CUDA: 1 of 4 nodes; TreeEnsemble has only a CPU kernel; on CPU: Sigmoid"
    assert describe_placement([trees, rest, own], CUDA) == expected
    assert describe_placement([own], CUDA) == "CUDA: 1 of 1 node"


def test_an_onnx_runtime_that_records_nothing_is_read_as_such() -> None:
    assert read_placement(object()) == ()


def test_required_candidates_are_bound_and_others_stay() -> None:
    texts = ["lightgbm:feed=ndarray", "onnxruntime", "onnxruntime:providers=cpu"]
    bound = ["lightgbm:feed=ndarray", "onnxruntime:fallback=off,providers=cuda", "onnxruntime:providers=cpu"]
    assert require_provider(texts, "cuda") == require_provider(bound, CUDA) == bound
    assert require_provider(["onnxruntime"], "CPUExecutionProvider") == ["onnxruntime:providers=cpu"]
    assert require_provider(texts, None) == texts
    assert read_provider(CUDA) == "cuda"
    with pytest.raises(UsageError, match="no provider 'abacus'"):
        require_provider(texts, "abacus")
    with pytest.raises(UsageError, match="no candidate runs on cuda"):
        require_provider(["lightgbm"], "cuda")


def test_a_bench_on_a_required_provider_fails_where_nodes_fall_back() -> None:
    with pytest.raises(EngineError, match="Azure: 0 of") as caught:
        bench(str(SAMPLE), require_provider="azure", rounds=1, processes=1)
    assert caught.value.exit_code == 6


def test_the_report_holds_the_nodes_of_every_provider(network: ModelRef) -> None:
    report = bench(network.path, candidates=["onnxruntime:providers=azure"], rounds=1, processes=1)
    assert report.results[0].placement
    assert any(notice.message.startswith("n.onnx: Azure: 0 of") for notice in report.notices)


@pytest.mark.gpu
def test_a_gpu_runs_the_nodes_of_a_network(network: ModelRef) -> None:
    if CUDA not in onnxruntime.get_available_providers():
        pytest.skip("no wheel for GPUs")
    session = open_session("onnxruntime", network, providers="cuda", fallback="off")
    assert {part.provider for part in session.spec.placement} == {CUDA}
    columns = table(matrix(missing=False), UNNAMED)
    reference = answer(open_session("onnxruntime", network), columns)
    np.testing.assert_allclose(answer(session, columns), reference, atol=1e-5)


def test_the_session_of_the_cpu_can_be_asked_where_its_nodes_run(network: ModelRef) -> None:
    options = {"providers": "azure", "fallback": "on", "threads": "1", "optimization": "off", "spinning": "on"}
    placement = read_placement(start_session(onnxruntime, network, options))
    names = [name for part in placement for name in part.nodes]
    assert {"layer0", "layer1", "layer2"} <= set(names)
    assert "MatMul" in {part.operator for part in placement}
