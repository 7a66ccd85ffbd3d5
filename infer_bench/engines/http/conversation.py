"""What is said to a service, by the protocol that it speaks."""

from collections.abc import Mapping, Sequence

from infer_bench.engines.http.client import Client, Content
from infer_bench.engines.http.description import (
    UNKNOWN,
    ask_model_info,
    describe_columns,
    describe_network,
    read_spec,
)
from infer_bench.engines.http.errors import read_sentence
from infer_bench.engines.http.messages import write_get, write_post
from infer_bench.engines.http.protocols.base import Codec, Record
from infer_bench.engines.http.protocols.choose import (
    ProtocolChoice,
    complete_path,
    locate_tensors,
    make_protocol,
    make_tensor_codec,
    read_model_metadata,
    tell_protocol,
)
from infer_bench.engines.http.protocols.oip.codec import TensorCodec
from infer_bench.engines.http.protocols.oip.inputs import (
    DescribedInput,
    describe_inputs,
    read_described_inputs,
    takes_tensors,
)
from infer_bench.engines.http.protocols.oip.metadata import ModelMetadata
from infer_bench.engines.http.protocols.predict import PredictCodec
from infer_bench.engines.http.target import Target
from infer_bench.errors import CannotRun, DataError, EngineError, UsageError
from infer_bench.model import ModelSpec


class Conversation:
    """Writes requests to one `target`; how the rows of new columns are written is asked of the service once.

    `takes` is `rows` or `tensors` where the user says which; empty: the service does.
    """

    def __init__(
        self, client: Client, target: Target, headers: Mapping[str, str], choice: ProtocolChoice, takes: str = ""
    ) -> None:
        self._client, self._headers, self._choice, self._takes = client, headers, choice, takes
        self._protocol = tell_protocol(choice, target)
        try:
            self.target = complete_path(target, self._protocol)
        except UsageError as error:
            raise EngineError(error.message, error.hint) from None
        self._codecs: dict[tuple[tuple[str, ...], bool], Codec] = {}
        self._contents: dict[str, bytes] = {}
        self._plain = PredictCodec()

    def ask_spec(self) -> ModelSpec:
        """What the service tells of its model. Raises `EngineError` where it cannot be asked at all."""
        if self._protocol == "json":
            return UNKNOWN
        is_predict = self._protocol == "predict"
        info = ask_model_info(self._client, self.target, self._headers, "" if is_predict else "/model-info")
        described = read_described_inputs(info)
        try:
            if is_predict and described:
                self.target = locate_tensors(self._choice, self.target, info)
                self._protocol = "oip"
            return read_spec(info) if self._protocol == "predict" else self._describe_tensors(info, described)
        except (UsageError, CannotRun) as error:
            raise EngineError(error.message, error.hint) from None

    def _describe_tensors(self, info: bytes, described: Sequence[DescribedInput]) -> ModelSpec:
        """By the protocol's metadata, before which goes what the service says itself of rows."""
        metadata = read_model_metadata(self.target, self._fetch)
        spec = read_spec(info)
        if self._takes != "tensors" and not described and spec.features:
            return spec
        if self._takes == "tensors" or described or (self._takes != "rows" and _is_network(metadata)):
            return describe_network(metadata, describe_inputs(metadata, described))
        return describe_columns(metadata)

    def make_tensor_codec(self) -> TensorCodec:
        """How a network's requests are written. Raises `EngineError`."""
        try:
            return make_tensor_codec(self._choice, self.target, self._fetch)
        except CannotRun as error:
            raise EngineError(error.message, error.hint) from None

    def choose_codec(self, records: Sequence[Record]) -> Codec:
        """How these records are written. Raises `EngineError` for columns that the model does not take."""
        if self._protocol == "predict":
            return self._plain
        columns, are_several = tuple(records[0]), len(records) > 1
        codec = self._codecs.get((columns, are_several))
        if codec is None:
            try:
                codec = make_protocol(self._choice, self._protocol, self.target, columns, 1 + are_several, self._fetch)
            except (UsageError, CannotRun) as error:
                raise EngineError(error.message, error.hint) from None
            self._codecs[columns, are_several] = codec
        return codec

    def write(self, codec: Codec, records: Sequence[Record]) -> bytes:
        """The whole request. Raises `EngineError` for a value that the protocol cannot carry."""
        try:
            return write_post(self.target, codec.encode(records), self._headers)
        except DataError as error:
            raise EngineError(error.message, error.hint) from None

    def _fetch(self, path: str) -> bytes:
        """What `GET path` answers, asked once. Raises `CannotRun` for anything but 200."""
        if path not in self._contents:
            content = self._client.ask(write_get(self.target, path, self._headers))
            if content.status in (401, 403):
                raise CannotRun(f"{self.target.url} asks for a bearer token", "name its file: token-file=FILE")
            if content.status != 200:
                sentence = " ".join(read_sentence(content.body.decode("utf-8", "replace")).split())[:300]
                raise CannotRun(f"{path} of {self.target.authority} answers {content.status}: {sentence}")
            self._contents[path] = content.body
        return self._contents[path]


def _is_network(metadata: ModelMetadata) -> bool:
    return takes_tensors(describe_inputs(metadata))


def ask_right_answer(client: Client, url: str, request: bytes) -> Content:
    """The answer of 2xx to a request. Raises `EngineError` for any other, with what the service says."""
    content = client.ask(request)
    if not 200 <= content.status < 300:
        sentence = " ".join(read_sentence(content.body.decode("utf-8", "replace")).split())[:300]
        raise EngineError(f"{url} answers {content.status}{': ' if sentence else ''}{sentence}")
    return content
