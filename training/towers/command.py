"""`python -m training towers`."""

from pathlib import Path
from typing import Annotated

import typer

from training.outputs import named
from training.towers.options import OFF, Options, without


def command(
    dataset: Annotated[Path, typer.Argument(help="Dataset folder; with behaviour (events) if there is any yet.")],
    out: Annotated[Path, typer.Option(help="Where to write the towers artifact.", callback=named)],
    listings: Annotated[
        Path | None, typer.Option(help="Listing index from `python -m index listings`; without it, no photos.")
    ] = None,
    text_prior: Annotated[
        str | None, typer.Option(help="Model2Vec model for words never seen in behaviour: a folder or a hub id.")
    ] = Options.text_prior,
    lexicon: Annotated[
        Path | None,
        typer.Option(
            help="WordNet database (index.noun, data.noun, noun.exc) for names never seen in behaviour, and for words "
            "that are no typing errors."
        ),
    ] = None,
    dim: Annotated[int, typer.Option(min=8, help="Dimensions that are learned.")] = Options.dim,
    epochs: Annotated[int, typer.Option(min=1)] = Options.epochs,
    batch: Annotated[int, typer.Option(min=2, help="Pairs a step.")] = Options.batch,
    excerpts: Annotated[
        int, typer.Option(min=0, help="Queries made from each listing's own words.")
    ] = Options.excerpts,
    composed: Annotated[
        int, typer.Option(min=0, help="Queries made of each listing's attributes and what people call such things.")
    ] = Options.composed,
    temperature: Annotated[float, typer.Option(min=0.001)] = Options.temperature,
    learning_rate: Annotated[float, typer.Option(min=0.0, help="Of all but the text table.")] = Options.learning_rate,
    table_rate: Annotated[float, typer.Option(min=0.0, help="Of the text table.")] = Options.table_rate,
    seed: Annotated[int, typer.Option(min=0)] = Options.seed,
    leave_out: Annotated[
        list[str] | None, typer.Option("--without", help=f"Switch an ingredient off: {', '.join(OFF)}. Repeatable.")
    ] = None,
    snapshot: Annotated[
        list[int] | None,
        typer.Option(min=0, help="Also write the towers after so many steps, to OUT.steps, with times. Repeatable."),
    ] = None,
) -> None:
    """Train the query, listing and category towers on searches, clicks and messages."""
    options = Options(
        text_prior=text_prior,
        lexicon=None if lexicon is None else str(lexicon),
        dim=dim,
        epochs=epochs,
        batch=batch,
        excerpts=excerpts,
        composed=composed,
        temperature=temperature,
        learning_rate=learning_rate,
        table_rate=table_rate,
        seed=seed,
    )
    options = without(options, leave_out or [])
    from training.towers.train import run

    metrics = run(dataset, listings, out, options, snapshot or ())
    typer.echo(f"towers: {out}")
    for name, value in metrics.items():
        typer.echo(f"  {name}: {value}")
