"""Where the figures of an evaluation go, beside the terminal."""

from pathlib import Path
from typing import Annotated

import typer

FiguresFile = Annotated[Path | None, typer.Option(dir_okay=False, help="JSON file for the figures.")]
"""The option `--out` of every command that writes one; a folder is refused before any work."""
