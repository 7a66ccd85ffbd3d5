"""Whether a pickle was saved by another scikit-learn than the one that is to open it."""

import importlib.metadata

from infer_bench.errors import ModelError
from infer_bench.formats.pickles.scanning import PickleScan

LIBRARY = "scikit-learn"


def describe_versions(content: PickleScan) -> tuple[str, str]:
    """`saved by scikit-learn 1.0.2, opened by 1.7.0` and what to install; empty where they are not known to differ."""
    here = installed_version()
    others = [version for version in content.sklearn_versions if version != here]
    if not others or not here:
        return "", ""
    return f"saved by {LIBRARY} {others[0]}, opened by {here}", f"pip install {LIBRARY}=={others[0]}, or train it again"


def installed_version() -> str:
    """The version of scikit-learn here; empty without it."""
    try:
        return importlib.metadata.version(LIBRARY)
    except importlib.metadata.PackageNotFoundError:
        return ""


def broken_by_version(name: str, content: PickleScan, reason: str) -> ModelError | None:
    """The error for a file that could not be opened, where the versions differ; else None."""
    versions, hint = describe_versions(content)
    return ModelError(f"{name} was {versions}, which cannot read it: {reason}", hint) if versions else None
