"""What serving costs beyond the model: CPU time a request, as ratios within one run.

    python benchmarks/serve_cost.py [--rounds 5] [--requests 2000] [--columns 30 419] [--names short|sample]

The same ONNX model behind a bare protocol on httptools and uvloop, the least that an HTTP server in Python does; behind
`infer-bench serve`; and behind FastAPI in its two usual forms, where that is installed. Each is asked in two forms: a
record, by the columns' names, at `/predict`, and a list of values, at `/v2/models/NAME/infer`.

There is a small model, of 30 columns, and a large one, of 419. Bodies of the small one are 0.8 and 0.3 kB: the sample's
own names and values, and values of four digits. Both bodies of the large one are 2.9 kB: names of two characters with
values of one digit, and values of four digits. With `--names sample`, its records hold the sample's own names and
values, too, which takes 13 kB.

One client sends one request at a time, so that nothing is batched, and the servers take turns, round by round. Printed
are the medians of the CPU µs a request of a server's whole tree of processes, of its ratio to the bare server's, and of
what is left beyond the model's own call. For Linux, where /proc tells the CPU time.
"""

import argparse
import asyncio
import importlib.util
import itertools
import json
import os
import random
import socket
import statistics
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy
from servers.sources import BARE, COMMON, FASTAPI, MODEL

from infer_bench import convert
from infer_bench.data import Dataset

SAMPLES = Path(__file__).parent.parent / "sample_models"
SAMPLE_OF = {30: "tumour.parquet", 419: "credit.parquet"}
"""The rows of models by their columns."""
ROWS = 256
RECORD, VALUES = "record", "values"
ALONE = "the model alone"


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
        scripts |= {f"FastAPI, {form}": FASTAPI % (form, form) for form in ("async def", "def")}
    for name in (*scripts, "infer-bench serve"):
        ports[name] = free_port()
    result = {
        name: [sys.executable, "-c", COMMON + script, model, str(ports[name]), names]
        for name, script in scripts.items()
    }
    port = str(ports["infer-bench serve"])
    return {**result, "infer-bench serve": [sys.executable, "-m", "infer_bench", "serve", model, "--port", port]}


def short_names(count: int) -> list[str]:
    """Names of two characters."""
    pairs = itertools.product(string.ascii_lowercase, string.ascii_lowercase + string.digits)
    return ["".join(pair) for pair in itertools.islice(pairs, count)]


def sample_records(columns: int) -> list[dict[str, float | None]]:
    """A sample's rows."""
    table = Dataset.open(SAMPLES / SAMPLE_OF[columns]).head(ROWS)
    names = [name for name in table.columns if name != "target"]
    values = [table.columns[name].tolist() for name in names]
    records = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
    return [{name: None if value != value else value for name, value in record.items()} for record in records]


def write_small_model(folder: Path) -> Path:
    """300 trees of 30 columns as ONNX."""
    import lightgbm

    table = Dataset.open(SAMPLES / SAMPLE_OF[30]).head(10_000).columns
    names = [name for name in table if name != "target"]
    rows = numpy.stack([numpy.asarray(table[name], dtype=float) for name in names], axis=1)
    target = (numpy.asarray(table["target"]) == "benign").astype(float)
    settings = {"objective": "binary", "verbosity": -1, "min_data_in_leaf": 2, "num_threads": 1}
    booster = lightgbm.train(settings, lightgbm.Dataset(rows, target, feature_name=names), num_boost_round=300)
    return convert_model(folder, booster.model_to_string())


def write_large_model(folder: Path, names: list[str] | None) -> Path:
    """The sample's model of 419 columns as ONNX, its columns called by `names`, or as they are called."""
    source = (SAMPLES / "credit.txt").read_text()
    if names is not None:
        lines = source.split("\n")
        place = next(i for i, line in enumerate(lines) if line.startswith("feature_names="))
        lines[place] = "feature_names=" + " ".join(names)
        source = "\n".join(line for line in lines if not line.startswith("tree_sizes="))
        source = source.partition("\npandas_categorical")[0] + "\n"
    return convert_model(folder, source)


def convert_model(folder: Path, source: str) -> Path:
    """LightGBM's text as ONNX."""
    (folder / "model.txt").write_text(source)
    convert(str(folder / "model.txt"), str(folder / "model.onnx"))
    return folder / "model.onnx"


def as_request(path: str, content: object) -> bytes:
    """A request of HTTP."""
    body = json.dumps(content, separators=(",", ":")).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def write_inputs(folder: Path, columns: int, *, sample_names: bool) -> tuple[list[str], dict[str, list[bytes]]]:
    """What the servers' scripts are given (the model, its columns, a record), and the requests of each form."""
    records = sample_records(columns)
    draw = random.Random(0)
    if columns == 30:
        model = write_small_model(folder)
    elif sample_names:
        model = write_large_model(folder, None)
    else:
        names = short_names(len(records[0]))
        model = write_large_model(folder, names)
        records = [{name: draw.randrange(10) for name in names} for _ in range(ROWS)]
    files = {"names.json": list(records[0]), "record.json": records[0]}
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    shape = [1, len(records[0])]
    tensors = [
        {
            "name": "input",
            "shape": shape,
            "datatype": "FP64",
            "data": [draw.randrange(1000, 10000) / 10000 for _ in record],
        }
        for record in records
    ]
    requests = {
        RECORD: [as_request("/predict", record) for record in records],
        VALUES: [as_request("/v2/models/model/infer", {"inputs": [tensor]}) for tensor in tensors],
    }
    return [str(model), *(str(folder / name) for name in files)], requests


def main() -> None:
    """Start the servers, ask them in turn, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--columns", type=int, nargs="+", choices=tuple(SAMPLE_OF), default=list(SAMPLE_OF))
    parser.add_argument("--names", choices=("short", "sample"), default="short")
    arguments = parser.parse_args()
    for columns in arguments.columns:
        measure(columns, arguments)


def measure(columns: int, arguments: argparse.Namespace) -> None:
    """One model behind every server."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        sample_names = arguments.names == "sample"
        (model, names, record), requests = write_inputs(Path(folder), columns, sample_names=sample_names)
        ports: dict[str, int] = {}
        starts = commands(model, names, ports)
        pids = {name: stack.enter_context(running(command, ports[name])) for name, command in starts.items()}
        costs = {form: {name: [] for name in (ALONE, *pids)} for form in requests}
        for turn in range(arguments.rounds + 1):
            count = arguments.requests if turn else 200
            alone_us = measure_model(model, names, record)
            for form, cost in costs.items():
                cost[ALONE].append(alone_us)
                for name, pid in pids.items():
                    before = cpu_ns(pid)
                    asyncio.run(send(ports[name], requests[form], count))
                    cost[name].append((cpu_ns(pid) - before) / 1000 / count)
        for form, cost in costs.items():
            report(f"{columns} columns, {form}", cost, statistics.mean(map(len, requests[form])))


def measure_model(model: str, names: str, record: str) -> float:
    """The CPU µs of the model's own call."""
    alone = [sys.executable, "-c", COMMON + MODEL, model, "0", names, record]
    call = subprocess.run(alone, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, check=True)
    return float(call.stdout)


def report(form: str, costs: dict[str, list[float]], request_bytes: float) -> None:
    """The medians over the rounds, the first of which warmed up."""
    rounds = {name: values[1:] for name, values in costs.items()}
    bare, alone = rounds["bare httptools"], rounds[ALONE]
    print(f"{form}: a request of {request_bytes:,.0f} bytes, one at a time; medians of {len(bare)} rounds")
    print(f"{'':20} {'CPU µs':>8} {'× bare':>8} {'beyond the model µs':>20}")
    for name, values in rounds.items():
        ratio = statistics.median(value / least for value, least in zip(values, bare, strict=True))
        beyond = statistics.median(value - model for value, model in zip(values, alone, strict=True))
        print(f"{name:20} {statistics.median(values):8.0f} {ratio:8.2f} {beyond:20.0f}")


if __name__ == "__main__":
    main()
