"""What a request through a network costs beyond the bare call of ONNX Runtime's session, as ratios within one run.

    python benchmarks/network_request.py [--rounds 300]

One session answers the same image both ways, by turns and in random order: as `bench` times it, from named arrays to
named outputs, and by `InferenceSession.run` alone. Of each pair the ratio is taken, and the median is printed; of a
network that does next to nothing, the difference. Times are CPU time of the one thread that works.
"""

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from infer_bench.engines.onnxruntime.engine import OnnxRuntime
from infer_bench.engines.onnxruntime.network import NetworkSession
from infer_bench.formats.identify import identify

CHANNELS = 32
LIMIT = 1.02


def save_network(path: Path, layers: int, size: int) -> None:
    """So many convolutions, each with a Relu, on images (n, 3, size, size); without any, a Relu."""
    random_numbers = np.random.default_rng(0)
    nodes, weights, name = [], [], "x"
    for i in range(layers):
        shape = (CHANNELS, CHANNELS if i else 3, 3, 3)
        weights.append(numpy_helper.from_array(random_numbers.normal(size=shape).astype(np.float32) / 10, f"w{i}"))
        nodes.append(helper.make_node("Conv", [name, f"w{i}"], [f"c{i}"], pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"c{i}"], [f"r{i}"]))
        name = f"r{i}"
    nodes.append(helper.make_node("GlobalAveragePool" if layers else "Relu", [name], ["y"]))
    inputs = [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 3, size, size])]
    outputs = [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "network", inputs, outputs, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def open_network(path: Path) -> NetworkSession:
    """On one thread, as `bench` opens it."""
    options = {name: option.default for name, option in OnnxRuntime.options.items()}
    session = OnnxRuntime().open(identify(path), options)
    assert isinstance(session, NetworkSession)
    return session


def time_pairs(session: NetworkSession, request: dict[str, Any], rounds: int) -> list[tuple[int, int]]:
    """(as `bench` asks, bare) in ns of CPU time, for each round."""
    bare, outputs = session.library_session.run, list(session.spec.output_names)
    preprocess, predict, name_outputs = session.preprocess, session.predict, session.named_outputs
    ways = {"request": lambda: name_outputs(predict(preprocess(request))), "bare": lambda: bare(outputs, request)}
    pairs = []
    for _ in range(rounds):
        times = {}
        for way in random.sample(list(ways), 2):
            start = time.thread_time_ns()
            ways[way]()
            times[way] = time.thread_time_ns() - start
        pairs.append((times["request"], times["bare"]))
    return pairs


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=300)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        save_network(path, layers=4, size=64)
        session, image = open_network(path), {"x": np.ones((1, 3, 64, 64), np.float32)}
        time_pairs(session, image, max(3, rounds // 10))
        pairs = time_pairs(session, image, rounds)
        ratio = statistics.median(request / bare for request, bare in pairs)
        bare_us = statistics.median(bare for _, bare in pairs) / 1000
        print(f"conv net, {bare_us:,.0f} µs a call: request / bare call {ratio:.4f} (limit {LIMIT})")
        save_network(path, layers=0, size=1)
        nothing = time_pairs(open_network(path), {"x": np.ones((1, 3, 1, 1), np.float32)}, 10 * rounds)
        more_us = statistics.median(request - bare for request, bare in nothing) / 1000
        print(f"network of one Relu on three numbers: {more_us:.1f} µs more than the bare call")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
