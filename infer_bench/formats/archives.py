"""Models that are zip archives: skops, and torch's kinds."""

import json
import zipfile
import zlib
from pathlib import Path

from infer_bench.errors import ModelError, UnsafePickle
from infer_bench.formats.pickle_family import EXPORT, Kind, family

_SCHEMA_LARGEST = 1 << 28
_UNPACKED_LEAST, _UNPACKED_TIMES = 1 << 26, 100
SCRIPT = "torchscript"


def check_script(name: str, *, allow_pickle: bool) -> None:
    """Raise `UnsafePickle` for a TorchScript archive unless its code may run."""
    if not allow_pickle:
        raise UnsafePickle(
            f"{name} is a TorchScript archive, which holds code",
            "pass --allow-pickle only if you trust who made the file, or export the model as .pt2",
        )


def zipped(file: Path) -> Kind:
    """The kind of a zip archive. Raises `ModelError` when it is broken or holds no model that is read."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if "schema.json" in names:
                return _skops(file, archive)
            _refuse_bomb(file, archive)
            return _torch(file, names)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise ModelError(f"{file.name} is a damaged or truncated zip archive: {error}") from None


def _refuse_bomb(file: Path, archive: zipfile.ZipFile) -> None:
    """Raise `ModelError` for an archive that unpacks to much more than it is: torch stores weights as they are."""
    size, packed = sum(entry.file_size for entry in archive.infolist()), file.stat().st_size
    if size > _UNPACKED_LEAST + _UNPACKED_TIMES * packed:
        raise ModelError(f"{file.name} is {packed >> 10:,} KiB and unpacks to {size >> 20:,} MiB, as no model does")


def _skops(file: Path, archive: zipfile.ZipFile) -> Kind:
    if archive.getinfo("schema.json").file_size > _SCHEMA_LARGEST:
        raise ModelError(f"{file.name} has a schema of more than {_SCHEMA_LARGEST >> 20} MiB")
    try:
        schema = json.loads(archive.read("schema.json"))
        root = f"{schema['__module__']}.{schema['__class__']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ModelError(f"{file.name} looks like a skops file, but its schema is broken") from None
    if root.split(".")[0] in ("builtins", "numpy", "collections", "pandas"):
        raise ModelError(f"{file.name} is a skops file that holds a {root}, not a model")
    return family(file, root), "skops"


def _torch(file: Path, names: list[str]) -> Kind:
    inner = {name.split("/", 1)[-1] for name in names}
    if "archive_format" in inner or "serialized_exported_program.json" in inner or "models/model.json" in inner:
        return "torch", "torch-pt2"
    if "constants.pkl" in inner or any(name.startswith("code/") for name in inner):
        return "torch", SCRIPT
    if "data.pkl" in inner:
        raise ModelError(
            f"{file.name} is a torch checkpoint: pickled weights (a state dict), or a pickled module", EXPORT
        )
    if ".data/extern_modules" in inner:
        raise ModelError(f"{file.name} is a torch.package: a pickled module beside its code", EXPORT)
    if any(name.endswith(".keras") or name == "config.json" for name in inner):
        raise ModelError(f"{file.name} seems to be a Keras archive, which is not read")
    if names and all(name.endswith(".npy") for name in names):
        raise ModelError(f"{file.name} seems to be an npz file of arrays, which is data")
    if "[Content_Types].xml" in names:
        raise ModelError(f"{file.name} seems to be an Office document")
    raise ModelError(f"{file.name} is a zip archive that holds no model", "unpack it, and give the file inside")
