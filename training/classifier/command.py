"""`python -m training classifier`."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from relevance.errors import DataError
from relevance.images import Size
from training.classifier.options import Options
from training.outputs import named


def parse_size(text: str) -> Size:
    """`128x96` or `96` to (height, width); raises DataError for anything else and for less than 32 pixels."""
    parts = text.lower().split("x")
    if not all(part.isdecimal() and int(part) >= 32 for part in parts) or len(parts) > 2:
        raise DataError(f"--image-size: expected HEIGHTxWIDTH or one number, at least 32 pixels each, found {text!r}")
    return int(parts[0]), int(parts[-1])


def make_options(out: Path, cache: str, image_size: str | None, *, threads: int, **plain: Any) -> Options:
    """What the command line says, as the training takes it; to be called before TensorFlow is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Read when TensorFlow starts its thread pools.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
    folder = {"auto": out.parent / "cache", "none": None}.get(cache, Path(cache))
    size = parse_size(image_size) if image_size else None
    return Options(cache=folder, image_size=size, threads=threads, **plain)


def command(
    dataset: Annotated[Path, typer.Argument(help="Dataset folder with photos.")],
    out: Annotated[Path, typer.Option(help="Where to write the classifier.", callback=named)],
    backbone: Annotated[str, typer.Option(help="small, MobileNetV2, EfficientNetV2B0, …")] = "small",
    weights: Annotated[
        str | None,
        typer.Option(help="none, imagenet, or a .weights.h5 file. Default: none for small, imagenet for the others."),
    ] = None,
    image_size: Annotated[
        str | None,
        typer.Option(
            metavar="HEIGHTxWIDTH",
            help="Pixels, or one number for a square; by default the backbone's own, in the photos' shape.",
        ),
    ] = None,
    epochs: Annotated[
        float | None,
        typer.Option(min=0.0, help="By default the backbone's own; 0: a pretrained network's new head alone."),
    ] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Photos a step; by default the backbone's own.")] = None,
    learning_rate: Annotated[float | None, typer.Option(min=0.0, help="By default the backbone's own.")] = None,
    fine_tune_from: Annotated[
        str | None, typer.Option(help='First layer that is trained, by the start of its name; "" for all of them.')
    ] = None,
    block_by_block: Annotated[
        bool, typer.Option("--block-by-block", help="Train the backbone's last block first, then one more at a time.")
    ] = False,
    clicks: Annotated[
        float,
        typer.Option(min=0.0, help="Weight of what people chose for the same query, in a third phase; 0: without."),
    ] = 0.0,
    min_photos: Annotated[int, typer.Option(min=1, help="Categories with fewer training photos are no class.")] = 2,
    adjustment: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Logit adjustment: 0 aims at most photos right, 1 at most categories."),
    ] = 0.25,
    hierarchy: Annotated[float, typer.Option(min=0.0, help="Weight of the loss at the levels above.")] = 0.3,
    smoothing: Annotated[float, typer.Option(min=0.0, max=0.5, help="Label smoothing.")] = 0.0,
    test_share: Annotated[
        float, typer.Option(min=0.0, max=0.5, help="Share of the titles kept for measuring; 0 for the final model.")
    ] = 0.15,
    validation: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=VALUE", help="Validate on the listings with this attribute, instead of a tenth of the titles."
        ),
    ] = None,
    calibration: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="Learn from all photos; take temperature and threshold from this classifier, trained alike on a part.",
        ),
    ] = None,
    error_rate: Annotated[
        float,
        typer.Option(min=0.001, max=0.5, help="Share of photos whose answer, a category at any level, may be wrong."),
    ] = 0.05,
    cache: Annotated[
        str, typer.Option(help='Folder of decoded photos, used again by later runs; "auto": beside --out; "none".')
    ] = "auto",
    seed: Annotated[int, typer.Option(min=0)] = 0,
    threads: Annotated[int, typer.Option(min=1)] = 2,
    views: Annotated[
        int,
        typer.Option(
            min=1,
            max=4,
            help="2: predict from the photo and its mirror image, at twice the cost; 4: of both at a smaller size too.",
        ),
    ] = 1,
    variation: Annotated[
        float,
        typer.Option(min=0.0, max=2.5, help="How much photos are zoomed, shifted and lit otherwise in training."),
    ] = 1.0,
    precision: Annotated[
        str, typer.Option(help="float32, bfloat16 (mixed), or auto: the second on an accelerator.")
    ] = "auto",
    distribute: Annotated[
        str,
        typer.Option(help="none; mirrored: all GPUs of this machine; workers: those of all machines in $TF_CONFIG."),
    ] = "none",
) -> None:
    """Train the photo classifier and export the image encoder."""
    options = make_options(
        out,
        cache,
        image_size,
        backbone=backbone,
        weights=weights,
        epochs=epochs,
        batch=batch,
        learning_rate=learning_rate,
        fine_tune_from=fine_tune_from,
        block_by_block=block_by_block,
        clicks=clicks,
        precision=precision,
        views=views,
        variation=variation,
        validation=validation,
        calibration=calibration,
        min_photos=min_photos,
        adjustment=adjustment,
        hierarchy=hierarchy,
        smoothing=smoothing,
        test_share=test_share,
        error_rate=error_rate,
        seed=seed,
        threads=threads,
        distribute=distribute,
    )
    from training.classifier.train import run

    metrics = run(dataset, out, options)
    if metrics is None:  # the chief tells
        return
    typer.echo(f"classifier: {out} ({metrics['classes']} classes, {metrics['train_photos']} training photos)")
    for part in ("validation", "test"):
        if metrics[part]:
            typer.echo(f"  {part}: {test_line(metrics[part])}")


def test_line(test: dict[str, Any]) -> str:
    """The most telling of the figures that :func:`relevance.classification.scores` gives."""
    shown = (("top-1", "top_1"), ("top-3", "top_3"), ("top-5", "top_5"), ("macro", "macro"))
    return ", ".join(f"{title} {test[name]:.3f}" for title, name in shown)
