"""`python -m training attributes`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from relevance.errors import DataError
from training.outputs import named


def parse_names(text: str) -> tuple[str, ...]:
    """`gender, colour` to names; raises DataError for none, an empty one and a double."""
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) < len(names):
        raise DataError(f"--attributes: expected names joined by commas, each once, found {text!r}")
    return names


def command(
    dataset: Annotated[Path, typer.Argument(help="Dataset folder with photos and attributes.")],
    classifier: Annotated[Path, typer.Option(help="The classifier whose category triggers the model.")],
    attributes: Annotated[str, typer.Option(metavar="NAME,...", help="Names in the listings' attributes.")],
    out: Annotated[Path, typer.Option(help="Where to write the attribute model.", callback=named)],
    under: Annotated[
        str, typer.Option(metavar="CATEGORY", help="Id or path of a category at any level; left out: every photo.")
    ] = "",
    threshold: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="The category's probability from which the model is triggered.")
    ] = 0.5,
    min_photos: Annotated[int, typer.Option(min=1, help="Values with fewer training photos are no class.")] = 5,
    hidden: Annotated[int, typer.Option(min=0, help="Units of the layer that the attributes share; 0: none.")] = 256,
    dropout: Annotated[float, typer.Option(min=0.0, max=0.9)] = 0.3,
    adjustment: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="0: values weigh as they occur; 1: all values weigh the same.")
    ] = 0.0,
    epochs: Annotated[int, typer.Option(min=1, help="At most; ends earlier where nothing is gained.")] = 60,
    fine_tune: Annotated[
        int, typer.Option(min=0, metavar="EPOCHS", help="Then train a network of its own, end to end; 0: none.")
    ] = 0,
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder of what photos were made into, used again by later runs. Default: beside --out."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    threads: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Train a model of several attributes for the photos of a category."""
    import os

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Read when TensorFlow starts its thread pools.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
    from training.attributes.train import Options, run

    options = Options(
        names=parse_names(attributes),
        cache=cache or out.parent / "cache",
        under=under,
        threshold=threshold,
        min_photos=min_photos,
        hidden=hidden,
        dropout=dropout,
        adjustment=adjustment,
        epochs=epochs,
        fine_tune=fine_tune,
        seed=seed,
        threads=threads,
    )
    metrics = run(dataset, classifier, out, options)
    typer.echo(f"attributes: {out} ({metrics['train_photos']} training photos)")
    if metrics["triggered"] is not None:
        typer.echo(f"  triggered by {metrics['triggered']:.1%} of the category's test photos")
    for name, found in metrics["test"].items():
        typer.echo(f"  {name}: {_figures(found)}")


def _figures(found: dict[str, Any]) -> str:
    if not found["photos"]:
        return "no test photo has it"
    return (
        f"accuracy {found['accuracy']:.3f} (always the most frequent value: {found['majority']:.3f}), "
        f"macro {found['macro']:.3f}, calibration error {found['expected_calibration_error']:.3f}, "
        f"{found['photos']} test photos"
    )
