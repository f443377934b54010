"""`python -m eval similar`: how well the visual embeddings of a listing index find similar listings."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from eval.figures_file import FiguresFile


def command(
    dataset: Annotated[Path, typer.Option(help="Dataset folder with events.")],
    listings: Annotated[Path, typer.Option(help="Listing index made by `python -m index listings`.")],
    compare: Annotated[
        Path | None, typer.Option(help="Another listing index, to be measured on the same listings beside it.")
    ] = None,
    out: FiguresFile = None,
    sample: Annotated[int, typer.Option(min=1, help="Listings whose neighbours are graded.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap and of the sample.")] = 0,
    threads: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Measure similar listings: by what people chose for one query, and by what listings truly are."""
    from eval.bootstrap import Estimate
    from eval.similar.run import note, report, run
    from relevance.artifacts import write_text_atomic

    result = run(dataset, listings, compare, sample, seed, threads)
    if text := note(result):
        print(text, file=sys.stderr)
    typer.echo(report(result))
    if out is not None:
        write_text_atomic(out, json.dumps(result, indent=1, ensure_ascii=False, default=Estimate.to_dict) + "\n")
