"""Reading what the kernel tells in files."""

from pathlib import Path


def read_text(path: Path) -> str:
    """The stripped text of a file; empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
