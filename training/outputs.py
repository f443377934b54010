"""Where a training writes."""

import os
from pathlib import Path
from tempfile import TemporaryFile

from relevance.errors import ArtifactError


def named(out: Path) -> Path:
    """`out`, by the folder's own name where it is "." or "..": what a training keeps beside it is called after it."""
    return out if out.name not in ("", "..") else Path(os.path.abspath(out))


def refuse_unwritable(out: Path) -> None:
    """Raises ArtifactError where nothing can be written beside `out`: to know it before hours of work. No folder is
    made."""
    folder = next(parent for parent in out.absolute().parents if parent.exists())
    try:
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ArtifactError(f"{folder}: cannot be written to ({error.strerror}); choose another --out") from None
