"""What batches save a server of networks: CPU time a request at high concurrency with and without them, in one run.

    python benchmarks/serve_batches.py [--rounds 5] [--requests 3000] [--connections 64] [--layers 1]

The same network of convolutions (images of 3 × 16 × 16, sent as bytes by the Open Inference Protocol) is served twice,
once with batches switched off, on one thread each. Every connection has one request on its way at any time. The servers
take turns, round by round; printed are the medians of the CPU µs a request of each server's process and of their ratio,
and how many requests went through the network together. A network that takes as long for several together as one by one
is not batched, which is printed then. For Linux, where /proc tells the CPU time.
"""

import argparse
import asyncio
import json
import re
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from network_request import save_network
from serve_cost import cpu_ns, free_port, running

SERVER = """
import os, socket, sys
from infer_bench.serving import application
from infer_bench.serving.paths import served_model
from infer_bench.serving.processes.listener import bind
from infer_bench.serving.processes.server import serve
model, port, batches = sys.argv[1:]
if batches == "off":
    served_model.try_stacking = lambda session: "switched off"
app = application(model)
serve(app, bind("127.0.0.1", int(port)), drain_s=1, tell_ready=lambda: None, parent=os.pipe()[0])
"""
FORMS = ("on", "off")
IMAGE = (1, 3, 16, 16)


def make_request(seed: int) -> bytes:
    """An image as a request of HTTP."""
    pixels = np.random.default_rng(seed).random(IMAGE, dtype=np.float32).tobytes()
    tensor = {"name": "x", "shape": IMAGE, "datatype": "FP32", "parameters": {"binary_data_size": len(pixels)}}
    content = {"inputs": [tensor], "parameters": {"binary_data_output": True}}
    head = json.dumps(content, separators=(",", ":")).encode()
    lines = [
        "POST /v2/models/model/infer HTTP/1.1",
        "host: localhost",
        f"inference-header-content-length: {len(head)}",
        f"content-length: {len(head) + len(pixels)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + head + pixels


async def send(port: int, requests: list[bytes], count: int) -> None:
    """So many requests, one after the other, on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for i in range(count):
        writer.write(requests[i % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            sys.exit(head.decode())
        lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        await reader.readexactly(int(lines[b"content-length"]))
    writer.close()


async def send_all(port: int, requests: list[bytes], count: int, connections: int) -> None:
    """So many requests on all connections together."""
    await asyncio.gather(*(send(port, requests, count // connections) for _ in range(connections)))


async def read_batch(port: int) -> float:
    """How many requests went through the network together, on the mean."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
    text = (await reader.read()).decode()
    writer.close()
    total, calls = (
        float(re.search(rf"^infer_bench_batch_requests_{part} (\S+)", text, re.MULTILINE)[1])
        for part in ("sum", "count")
    )
    return total / calls


def measure(layers: int, arguments: argparse.Namespace) -> None:
    """One network behind both servers."""
    requests = [make_request(seed) for seed in range(16)]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        model = Path(folder) / "model.onnx"
        save_network(model, layers, IMAGE[-1])
        ports = {form: free_port() for form in FORMS}
        commands = {form: [sys.executable, "-c", SERVER, str(model), str(ports[form]), form] for form in FORMS}
        pids = {form: stack.enter_context(running(commands[form], ports[form])) for form in FORMS}
        costs: dict[str, list[float]] = {form: [] for form in FORMS}
        for turn in range(arguments.rounds + 1):
            for form in FORMS if turn % 2 else reversed(FORMS):
                before = cpu_ns(pids[form])
                asyncio.run(send_all(ports[form], requests, arguments.requests, arguments.connections))
                count = arguments.requests // arguments.connections * arguments.connections
                costs[form].append((cpu_ns(pids[form]) - before) / 1000 / count)
        batch = asyncio.run(read_batch(ports["on"]))
    report(layers, costs, batch)


def report(layers: int, costs: dict[str, list[float]], batch: float) -> None:
    """The medians over the rounds, the first of which warmed up."""
    pairs = list(zip(costs["on"], costs["off"], strict=True))[1:]
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratios = [a / b for a, b in pairs]
    print(f"{layers} convolutions: {ours:.0f} µs of CPU a request where {batch:.1f} go together on the mean,")
    print(f"{theirs:.0f} one by one, ratio {ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def main() -> None:
    """A small network."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--layers", type=int, default=1)
    arguments = parser.parse_args()
    measure(arguments.layers, arguments)


if __name__ == "__main__":
    main()
