"""Which library a pickle belongs to, told by the class of the object in it."""

from pathlib import Path

from infer_bench.errors import ModelError
from infer_bench.formats.pickles import PickleScan, scan
from infer_bench.libraries import of_module
from infer_bench.model import Family, Format

Kind = tuple[Family, Format]

EXPORT = (
    "build the model, load_state_dict, and save what runs without its class: "
    "torch.export.save(torch.export.export(model.eval(), args, dynamic_shapes=…), 'model.pt2')"
)
"""What a file needs that holds weights, or an object of a class."""
_LEGACY_TORCH = "torch._utils._rebuild_"
_NO_MODEL = {
    "numpy.ndarray": "an array",
    "numpy.core.multiarray._reconstruct": "an array",
    "pandas.core.frame.DataFrame": "a DataFrame",
    "pandas.DataFrame": "a DataFrame",
    "pandas.core.series.Series": "a Series",
    "pandas.Series": "a Series",
    "collections.OrderedDict": "a dict (a state dict?)",
}
_DATA_MODULES = ("builtins", "numpy", "pandas", "collections", "scipy", "datetime", "decimal")


def pickled(file: Path) -> Kind:
    """The family by the root's module. Raises `ModelError` when the pickle is broken or holds no model."""
    scan_result = scan(file)
    if scan_result.root is None or scan_result.root_is_global:
        raise ModelError(f"{file.name} is a pickle of {scan_result.root or 'nothing that can be told'}, not of a model")
    _refuse_data(file, scan_result, scan_result.root)
    form: Format = "joblib" if scan_result.joblib or scan_result.compression else "pickle"
    return family(file, scan_result.root), form


def family(file: Path, root: str) -> Family:
    """The family of a class by its full name; classes of unknown modules are scikit-learn's kind."""
    library = of_module(root)
    if library is not None and library.family == "torch":
        raise ModelError(f"{file.name} is a pickled torch module ({root})", EXPORT)
    return library.family if library is not None else "sklearn"


def _refuse_data(file: Path, scan_result: PickleScan, root: str) -> None:
    if root == "builtins.int" and not scan_result.names:
        raise ModelError(f"{file.name} seems to be an old torch checkpoint", EXPORT)
    if root.split(".")[0] in _DATA_MODULES:
        what = _NO_MODEL.get(root, f"a {root.rsplit('.', 1)[-1]}")
        raise ModelError(f"{file.name} is a pickle that holds {what}, not a model", "save the fitted estimator itself")
