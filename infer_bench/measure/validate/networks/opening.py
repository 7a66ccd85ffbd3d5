"""What a comparison of networks starts from: the requests, and the reference where its outputs were saved."""

import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from infer_bench.data import Table
from infer_bench.data.tensors.files import list_sets, load_arrays, read_sets
from infer_bench.errors import DataError, EngineError, UsageError
from infer_bench.measure.candidates.request_file import RequestFile
from infer_bench.measure.candidates.request_ranks import Inputs, settle_ranks
from infer_bench.measure.candidates.rows import rows_of_requests
from infer_bench.measure.outputs.names import columns_of
from infer_bench.measure.validate.networks.other_requests import draw_other_requests, stack_some
from infer_bench.measure.validate.networks.saved_outputs import SavedOutputs, divide_outputs
from infer_bench.measure.validate.networks.validation import NetworkCandidate, NetworkValidation, RequestTable
from infer_bench.measure.validate.opening import Opening
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.model import TensorInput
from infer_bench.report.common import DrawnInput, Notice
from infer_bench.typing import Array

DRAWN = 16
"""So many requests are drawn: the reference answers each up to five times, to know what it rounds."""
_NPZ, _NPY = b"PK", b"\x93NUMPY"


def is_saved_outputs(path: str) -> bool:
    """Whether a path may be outputs of a network: an `.npz` or `.npy`, or a folder of ONNX's `output_N.pb`."""
    file = Path(path)
    if file.is_dir():
        return bool(list_sets(file, "output"))
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        head = stream.read(6)
    return head.startswith(_NPY) or (head.startswith(_NPZ) and _is_npz(file))


def _is_npz(file: Path) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            return all(name.endswith(".npy") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def network_inputs(openings: Sequence[Opening]) -> tuple[TensorInput, ...]:
    """The inputs of the first network among the models that could be opened; none where all take rows.

    Raises `UsageError` where one takes rows and another tensors.
    """
    predictors = [opening.predictor for opening in openings if opening.predictor is not None]
    networks = [predictor for predictor in predictors if predictor.spec.inputs]
    rows = [predictor for predictor in predictors if predictor.spec.features]
    if networks and rows:
        raise UsageError(
            f"{rows[0].name} takes rows of a table, and {networks[0].name} tensors: they cannot be compared"
        )
    return networks[0].spec.inputs if networks else ()


def open_validation(
    saved: str | None, openings: Sequence[Opening], data: RequestFile | None, settings: ValidateSettings
) -> NetworkValidation:
    """Who is compared on what; `saved` is the path of the reference's outputs. Raises what stands in the way."""
    inputs = network_inputs(openings)
    others = openings if saved else openings[1:]
    candidates = [NetworkCandidate(opening.predictor) for opening in others if opening.predictor]
    unopened = [(opening.candidate, opening.error) for opening in others if opening.error]
    if not candidates:
        others[0].require()
    owner = next(opening.predictor for opening in openings if opening.predictor and opening.predictor.spec.inputs)
    beside = [o.predictor.spec.inputs for o in openings if o.predictor is not None and o.predictor is not owner]
    requests, notices, drawn_inputs = _requests(owner, beside, data, settings)
    reference = _read_saved(saved, requests, candidates[0].predictor, inputs) if saved else openings[0].require()
    described = {"data": requests.path or None, "data_sha256": _hash(requests.path) if requests.path else None}
    tables = [requests, *(() if saved else _other_requests(owner, requests, settings))]
    return NetworkValidation(
        reference, inputs, candidates, unopened, tables, settings, described, notices, drawn_inputs
    )


def _other_requests(predictor: Predictor, requests: RequestTable, settings: ValidateSettings) -> list[RequestTable]:
    """Beside the user's requests some of them stacked; beside drawn ones others too, unless their number is given."""
    if settings.probes == "off" or (settings.rows is not None and not requests.path):
        return []
    other_requests = [] if requests.path else list(draw_other_requests(predictor))
    return [*other_requests, *stack_some(predictor, requests.table)]


def _requests(
    predictor: Predictor, beside: Sequence[Inputs], data: RequestFile | None, settings: ValidateSettings
) -> tuple[RequestTable, Sequence[Notice], Sequence[DrawnInput]]:
    """The user's requests, or where there are none some that are drawn for a network, with what is said of them."""
    spec = predictor.spec
    if data is not None and settings.probes != "only":
        inputs, choices = settle_ranks(spec.inputs, beside, settings.requests)
        table = data.read_tensors(inputs, choices)
        path, notices = str(Path(data.path).absolute()), data.note_single(inputs, table, choices)
        return RequestTable("data", table.slice(0, settings.rows or table.rows), path), notices, ()
    rows = rows_of_requests(predictor.draw_requests(settings.rows or DRAWN), spec, predictor.candidate.model.path)
    return RequestTable("drawn", Table(rows.columns)), rows.notices, rows.inputs


def _hash(path: str) -> str:
    """Of the file, or of a folder's files in order."""
    file, digest = Path(path), hashlib.sha256()
    parts = [part for files in list_sets(file, "input") for part in files] if file.is_dir() else [file]
    for part in parts:
        digest.update(part.read_bytes())
    return digest.hexdigest()


def _read_saved(path: str, requests: RequestTable, predictor: Predictor, inputs: Sequence[TensorInput]) -> SavedOutputs:
    """The saved outputs of each request, cut as a candidate's outputs for the first one are shaped."""
    table = requests.table
    sample: Mapping[str, Array] = {}
    for row in range(min(table.rows, 8)):
        try:
            columns = columns_of(table.slice(row, row + 1), predictor.spec.inputs, inputs, predictor.name)
            outputs = predictor.predict_outputs(columns).outputs
            sample = {name: np.asarray(column[0]) for name, column in outputs.items()}
            break
        except EngineError:
            continue
    return divide_outputs(Path(path).name, _read_arrays(Path(path), list(sample)), table.rows, sample)


def _read_arrays(path: Path, names: Sequence[str]) -> Mapping[str, Array | Sequence[Array]]:
    if path.is_dir():
        sets = read_sets(path, "output")
        keys = [part.name if part.name in names else _place_name(part.place, names) for part in sets[0]]
        return {key: [parts[i].array for parts in sets] for i, key in enumerate(keys)}
    content = load_arrays(path)
    if isinstance(content, dict):
        return {name: _as_text(array) for name, array in content.items()}
    if len(names) != 1:
        raise DataError(f"{path.name} is one array and the model has {len(names)} outputs", "give an .npz with each")
    return {names[0]: _as_text(content)}


def _place_name(place: int, names: Sequence[str]) -> str:
    return names[place] if place < len(names) else f"output_{place}"


def _as_text(array: Array) -> Array:
    return array.astype(str).astype(object) if array.dtype.kind in "US" else array
