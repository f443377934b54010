"""`python -m eval classifier`: how well photos tell the category, on listings the classifier has not seen."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    dataset: Annotated[Path, typer.Argument(help="Dataset folder with photos.")],
    classifier: Annotated[Path, typer.Option(help="Classifier made by `python -m training classifier`.")],
    out: Annotated[Path, typer.Option(help="Folder for index.html, classifier.json and the tables.")],
    compare: Annotated[
        Path | None, typer.Option(help="Another classifier, to be measured on the same photos beside it.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Measure on all listings: the classifier was trained on none of them.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
    threads: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Measure the photo classifier at every level of the category tree, and write a page about it."""
    from eval.classifier.run import run
    from eval.classifier.terminal import report

    result = run(dataset, classifier, out, compare, seed, threads, everything)
    typer.echo(report(result))
    typer.echo(f"the whole report: {out / 'index.html'}")
