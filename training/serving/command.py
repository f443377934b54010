"""`python -m training export`."""

from pathlib import Path
from typing import Annotated

import typer

from training.outputs import named


def command(
    classifier: Annotated[Path, typer.Argument(help="Classifier folder.")],
    out: Annotated[
        Path, typer.Option(help="The model's folder; a version is added to it: 1, then 2, …", callback=named)
    ],
    attributes: Annotated[
        list[Path] | None, typer.Option(help="An attribute model's folder; repeat it for more.")
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="Categories of an answer, at most.")] = 5,
) -> None:
    """Write a SavedModel that takes the bytes of photos, for TensorFlow Serving."""
    import os

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from training.serving.export import run

    version = run(classifier, out, attributes or [], k)
    typer.echo(f"saved model: {version} (serving_default: photo_bytes, string [n])")
