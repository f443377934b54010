"""`python -m training classifier`."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    dataset: Annotated[Path, typer.Argument(help="Dataset folder with photos.")],
    out: Annotated[Path, typer.Option(help="Where to write the classifier.")],
    backbone: Annotated[str, typer.Option(help="small, MobileNetV2, EfficientNetV2B0, …")] = "small",
    weights: Annotated[
        str | None,
        typer.Option(help="none, imagenet, or a .weights.h5 file. Default: none for small, imagenet for the others."),
    ] = None,
    image_size: Annotated[int | None, typer.Option(min=32, help="Pixels; by default the backbone's own.")] = None,
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
