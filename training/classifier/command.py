"""`python -m training classifier`."""

from pathlib import Path
from typing import Annotated

import typer

from relevance.errors import DataError
from relevance.images import Size


def parse_size(text: str) -> Size:
    """`128x96` or `96` to (height, width); raises DataError for anything else and for less than 32 pixels."""
    parts = text.lower().split("x")
    if not all(part.isdecimal() and int(part) >= 32 for part in parts) or len(parts) > 2:
        raise DataError(f"--image-size: expected HEIGHTxWIDTH or one number, at least 32 pixels each, found {text!r}")
    return int(parts[0]), int(parts[-1])


def command(
    dataset: Annotated[Path, typer.Argument(help="Dataset folder with photos.")],
    out: Annotated[Path, typer.Option(help="Where to write the classifier.")],
    backbone: Annotated[str, typer.Option(help="small, MobileNetV2, EfficientNetV2B0, …")] = "small",
    weights: Annotated[
        str | None,
        typer.Option(help="none, imagenet, or a .weights.h5 file. Default: none for small, imagenet for the others."),
    ] = None,
    image_size: Annotated[
        Size | None,
        typer.Option(
            parser=parse_size,
            metavar="HEIGHTxWIDTH",
            help="Pixels, or one number for a square; by default the backbone's own, in the photos' shape.",
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="By default the backbone's own.")] = None,
    min_photos: Annotated[int, typer.Option(min=1, help="Categories with fewer training photos are no class.")] = 5,
    balance: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="0: classes weigh as they occur; 1: all classes weigh the same.")
    ] = 0.3,
    cache: Annotated[
        Path | None, typer.Option(help="Folder of decoded photos, used again by later runs. Default: beside --out.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    threads: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Train the photo classifier and export the image encoder."""
    import os

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Read when TensorFlow starts its thread pools.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
    from training.classifier.train import Options, run

    options = Options(
        backbone=backbone,
        weights=weights,
        image_size=image_size,
        epochs=epochs,
        min_photos=min_photos,
        balance=balance,
        cache=cache or out.parent / "cache",
        seed=seed,
        threads=threads,
    )
    metrics = run(dataset, out, options)
    test = metrics["test"]
    typer.echo(f"classifier: {out} ({metrics['classes']} classes, {metrics['train_photos']} training photos)")
    typer.echo(f"  test: top-1 {test['top_1']:.3f}, top-5 {test['top_5']:.3f}, macro {test['macro']:.3f}")
