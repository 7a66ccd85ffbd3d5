"""What is said to a service, by the protocol that it speaks."""

from collections.abc import Mapping, Sequence

from infer_bench.engines.http.client import Client
from infer_bench.engines.http.description import UNKNOWN, ask_spec, describe_tensors
from infer_bench.engines.http.errors import read_sentence
from infer_bench.engines.http.messages import write_get, write_post
from infer_bench.engines.http.protocols.base import Codec, Record
from infer_bench.engines.http.protocols.choose import ProtocolChoice, complete_path, make_protocol, tell_protocol
from infer_bench.engines.http.protocols.oip.metadata import read_metadata
from infer_bench.engines.http.protocols.predict import PredictCodec
from infer_bench.engines.http.target import Target
from infer_bench.errors import CannotRun, DataError, EngineError, UsageError
from infer_bench.model import ModelSpec


class Conversation:
    """Writes requests to one `target`; how the rows of new columns are written is asked of the service once."""

    def __init__(self, client: Client, target: Target, headers: Mapping[str, str], choice: ProtocolChoice) -> None:
        self._client, self._headers, self._choice = client, headers, choice
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
        if self._protocol == "predict":
            return ask_spec(self._client, self.target, self._headers)
        path = self.target.path.removesuffix("/infer")
        try:
            metadata = read_metadata(self._fetch(path), self.target.url.removesuffix("/infer"))
        except CannotRun as error:
            raise EngineError(error.message, error.hint) from None
        return describe_tensors(metadata, ask_spec(self._client, self.target, self._headers, "/model-info"))

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
