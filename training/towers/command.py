"""`python -m training towers`."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    dataset: Annotated[Path, typer.Argument(help="Dataset folder with behaviour (events).")],
    out: Annotated[Path, typer.Option(help="Where to write the towers artifact.")],
    listings: Annotated[
        Path | None, typer.Option(help="Listing index from `python -m index listings`; without it, no photos.")
    ] = None,
    dim: Annotated[int, typer.Option(min=8, help="Dimensions of the joint space.")] = 64,
    epochs: Annotated[int, typer.Option(min=1)] = 8,
    batch: Annotated[int, typer.Option(min=2, help="Pairs a step.")] = 512,
    excerpts: Annotated[int, typer.Option(min=0, help="Queries made from each listing's own words.")] = 3,
    temperature: Annotated[float, typer.Option(min=0.001)] = 0.07,
    learning_rate: Annotated[float, typer.Option(min=0.0)] = 0.003,
    hard: Annotated[bool, typer.Option(help="Mine hard negatives with ScaNN in the second half.")] = True,
    fasttext: Annotated[bool, typer.Option(help="Start from FastText vectors.")] = True,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Train the query, listing and category towers on searches, clicks and messages."""
    from training.towers.train import Options, run

    options = Options(
        dim=dim,
        epochs=epochs,
        batch=batch,
        excerpts=excerpts,
        temperature=temperature,
        learning_rate=learning_rate,
        hard=hard,
        fasttext=fasttext,
        seed=seed,
    )
    metrics = run(dataset, listings, out, options)
    if metrics["dropped_events"]:
        typer.echo(f"dropped {metrics['dropped_events']:,} events on listings that are not in {dataset}", err=True)
    typer.echo(f"towers: {out}")
    for name, value in metrics.items():
        typer.echo(f"  {name}: {value}")
