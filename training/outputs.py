"""Where a training writes."""

import os
from pathlib import Path


def named(out: Path) -> Path:
    """`out`, by the folder's own name where it is "." or "..": what a training keeps beside it is called after it."""
    return out if out.name not in ("", "..") else Path(os.path.abspath(out))
