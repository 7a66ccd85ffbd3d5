"""What serving costs beyond the model: CPU time a request, as ratios within one run.

    python benchmarks/serve_cost.py [--rounds 5] [--requests 2000]

The same ONNX model of 419 columns behind a bare protocol on httptools and uvloop, the least that an HTTP server in
Python does; behind `infer-bench serve`; and behind FastAPI in its two usual forms, where that is installed. One client
sends one request at a time, so that nothing is batched, and the servers take turns, round by round. Printed are the
medians of the CPU µs a request, of its ratio to the bare server's, and of what is left beyond the model's own call. For
Linux, where /proc tells the CPU time.
"""

import argparse
import asyncio
import importlib.util
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from infer_bench import convert
from infer_bench.data import Dataset

SAMPLES = Path(__file__).parent.parent / "sample_models"
ROWS = 256

COMMON = """
import json, os, sys
import msgspec, numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
port, tensor = int(sys.argv[2]), session.get_inputs()[0]
names, output = json.load(open(sys.argv[3])), [o.name for o in session.get_outputs()][-1:]
dtype = numpy.float64 if "double" in tensor.type else numpy.float32
def predict(record):
    row = numpy.array([[record[name] for name in names]], dtype=dtype)
    return session.run(output, {tensor.name: row})[0].tolist()
"""
BARE = """
import asyncio, httptools, uvloop
decode, encode = msgspec.json.Decoder(dict[str, float | None]).decode, msgspec.json.Encoder().encode
class Protocol(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.parser = transport, httptools.HttpRequestParser(self)
    def data_received(self, data):
        self.parser.feed_data(data)
    def on_message_begin(self):
        self.parts = []
    def on_body(self, part):
        self.parts.append(part)
    def on_message_complete(self):
        body = encode({"predictions": predict(decode(b"".join(self.parts)))})
        head = b"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: %d\\r\\n\\r\\n" % len(body)
        self.transport.write(head + body)
async def main():
    server = await asyncio.get_running_loop().create_server(Protocol, "127.0.0.1", port)
    await server.serve_forever()
uvloop.run(main())
"""
FASTAPI = """
import fastapi, pydantic, uvicorn
Record = pydantic.create_model("Record", **{name: (float | None, ...) for name in names})
app = fastapi.FastAPI()
@app.post("/predict")
%s answer(record: Record):
    return {"predictions": predict(record.model_dump())}
uvicorn.run(app, host="127.0.0.1", port=port, access_log=False, log_level="critical", loop="uvloop", http="httptools")
"""
MODEL = """
import time
record = json.load(open(sys.argv[4]))
row = numpy.array([[record[name] for name in names]], dtype=dtype)
for turn in range(2):
    start = time.process_time_ns()
    for _ in range(5000):
        session.run(output, {tensor.name: row})
print((time.process_time_ns() - start) / 5000 / 1000)
"""


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int) -> Iterator[int]:
    """The process of a server, once it answers."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        else:
            sys.exit(f"{command[1]} ended with code {process.returncode}")
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def cpu_ns(pid: int) -> int:
    """The CPU time of all threads of a process and of its children."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
        total += sum(cpu_ns(int(child)) for child in (task / "children").read_text().split())
    return total


async def send(port: int, requests: list[bytes], count: int) -> None:
    """So many requests, one after the other, on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for i in range(count):
        writer.write(requests[i % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            sys.exit(head.decode())
        lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        await reader.readexactly(int(lines[b"content-length"]))
    writer.close()


def commands(model: str, names: str, ports: dict[str, int]) -> dict[str, list[str]]:
    """How each server that can run here is started."""
    scripts = {"bare httptools": BARE}
    if importlib.util.find_spec("fastapi") is not None:
        scripts |= {"FastAPI, async def": FASTAPI % "async def", "FastAPI, def": FASTAPI % "def"}
    for name in (*scripts, "infer-bench serve"):
        ports[name] = free_port()
    result = {
        name: [sys.executable, "-c", COMMON + script, model, str(ports[name]), names]
        for name, script in scripts.items()
    }
    port = str(ports["infer-bench serve"])
    return {**result, "infer-bench serve": [sys.executable, "-m", "infer_bench", "serve", model, "--port", port]}


def write_inputs(folder: str) -> tuple[str, str, str, list[bytes]]:
    """The model, its columns, a record, and requests of the sample's rows."""
    model, names_file, record_file = (str(Path(folder) / name) for name in ("model.onnx", "names.json", "record.json"))
    convert(str(SAMPLES / "credit.txt"), model)
    table = Dataset.open(SAMPLES / "credit.parquet").head(ROWS)
    names = [name for name in table.columns if name != "target"]
    columns = [table.columns[name].tolist() for name in names]
    records = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    records = [{name: None if value != value else value for name, value in record.items()} for record in records]
    Path(names_file).write_text(json.dumps(names))
    Path(record_file).write_text(json.dumps(records[0]))
    head = "POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n"
    bodies = [json.dumps(record, separators=(",", ":")).encode() for record in records]
    return model, names_file, record_file, [head.format(len(body)).encode() + body for body in bodies]


def main() -> None:
    """Start the servers, ask them in turn, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        model, names, record, requests = write_inputs(folder)
        ports: dict[str, int] = {}
        starts = commands(model, names, ports)
        pids = {name: stack.enter_context(running(command, ports[name])) for name, command in starts.items()}
        costs: dict[str, list[float]] = {name: [] for name in ["the model alone", *pids]}
        for turn in range(arguments.rounds + 1):
            alone = [sys.executable, "-c", COMMON + MODEL, model, "0", names, record]
            call = subprocess.run(alone, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, check=True)
            costs["the model alone"].append(float(call.stdout))
            for name, pid in pids.items():
                before = cpu_ns(pid)
                asyncio.run(send(ports[name], requests, arguments.requests if turn else 200))
                costs[name].append((cpu_ns(pid) - before) / 1000 / arguments.requests)
        report(costs, statistics.mean(map(len, requests)))


def report(costs: dict[str, list[float]], request_bytes: float) -> None:
    """The medians over the rounds, the first of which warmed up."""
    rounds = {name: values[1:] for name, values in costs.items()}
    bare, alone = rounds["bare httptools"], rounds["the model alone"]
    print(f"a request of {request_bytes:,.0f} bytes, one at a time; medians of {len(bare)} rounds")
    print(f"{'':20} {'CPU µs':>8} {'× bare':>8} {'beyond the model µs':>20}")
    for name, values in rounds.items():
        ratio = statistics.median(value / least for value, least in zip(values, bare, strict=True))
        beyond = statistics.median(value - model for value, model in zip(values, alone, strict=True))
        print(f"{name:20} {statistics.median(values):8.0f} {ratio:8.2f} {beyond:20.0f}")


if __name__ == "__main__":
    main()
