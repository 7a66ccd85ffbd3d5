"""The programs that a cost of serving is taken of: `python -c SOURCE MODEL PORT NAMES [RECORD]`."""

COMMON = """
import json, os, sys
import msgspec, numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
port, tensor = int(sys.argv[2]), session.get_inputs()[0]
names, output = json.load(open(sys.argv[3])), [o.name for o in session.get_outputs()][-1:]
dtype = numpy.float64 if "double" in tensor.type else numpy.float32
def predict(values):
    return session.run(output, {tensor.name: numpy.array([values], dtype=dtype)})[0].tolist()
def predict_record(record):
    return predict([record[name] for name in names])
"""
"""Before each of the others: the model, its columns, and how a list of values or a record is answered."""
BARE = """
import asyncio, httptools, uvloop
class Tensor(msgspec.Struct):
    data: list[float]
class Request(msgspec.Struct):
    inputs: list[Tensor]
read_record, read_request = msgspec.json.Decoder(dict[str, float | None]).decode, msgspec.json.Decoder(Request).decode
encode = msgspec.json.Encoder().encode
class Protocol(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.parser = transport, httptools.HttpRequestParser(self)
    def data_received(self, data):
        self.parser.feed_data(data)
    def on_message_begin(self):
        self.parts = []
    def on_url(self, url):
        self.url = url
    def on_body(self, part):
        self.parts.append(part)
    def on_message_complete(self):
        body = b"".join(self.parts)
        record = self.url == b"/predict"
        answer = predict_record(read_record(body)) if record else predict(read_request(body).inputs[0].data)
        body = encode({"predictions": answer})
        head = b"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: %d\\r\\n\\r\\n" % len(body)
        self.transport.write(head + body)
async def main():
    server = await asyncio.get_running_loop().create_server(Protocol, "127.0.0.1", port)
    await server.serve_forever()
uvloop.run(main())
"""
"""The least that an HTTP server in Python does, on httptools and uvloop."""
FASTAPI = """
import fastapi, pydantic, uvicorn
Record = pydantic.create_model("Record", **{name: (float | None, ...) for name in names})
class Tensor(pydantic.BaseModel):
    name: str
    shape: list[int]
    datatype: str
    data: list[float]
class Request(pydantic.BaseModel):
    inputs: list[Tensor]
app = fastapi.FastAPI()
@app.post("/predict")
%s answer_record(record: Record):
    return {"predictions": predict_record(record.model_dump())}
@app.post("/v2/models/model/infer")
%s answer_values(request: Request):
    return {"predictions": predict(request.inputs[0].data)}
uvicorn.run(app, host="127.0.0.1", port=port, access_log=False, log_level="critical", loop="uvloop", http="httptools")
"""
"""FastAPI as it is usually written; `%s` is `def` or `async def`, twice."""
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
"""No server: prints the CPU µs of the model's own call."""
