"""`python -m eval simulate`."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    out: Annotated[Path, typer.Option(help="Dataset folder to write.")],
    listings: Annotated[int, typer.Option(min=1, help="Listings to generate.")] = 6000,
    sessions: Annotated[int, typer.Option(min=1, help="Search sessions to simulate.")] = 40_000,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    end: Annotated[str | None, typer.Option(help="Last day of the log, YYYY-MM-DD; default today.")] = None,
    catalogue: Annotated[Path | None, typer.Option(help="An existing dataset to search; may be --out itself.")] = None,
    vocabulary: Annotated[
        list[Path] | None,
        typer.Option(
            help="CSV category,words_people_use (words joined by |) or, of other languages than the site's, "
            "language,kind,target,words_people_use; repeatable."
        ),
    ] = None,
) -> None:
    """Make up a marketplace and the people who search it, or people who search an existing catalogue."""
    import numpy as np

    from eval.simulate.assumptions import Searchers, Sellers
    from eval.simulate.existing import copy_catalogue, read_catalogue, span, written
    from eval.simulate.searching import Log, Site, simulate
    from eval.simulate.truth import write_intents, write_listings_truth
    from relevance.artifacts import writing
    from relevance.dataset import KIND, Dataset, listing_text
    from relevance.errors import DataError
    from relevance.events import write_behaviour
    from relevance.lexical import LexicalIndex
    from relevance.ubi import CLICK, MESSAGE

    try:
        last = np.datetime64(end, "D") if end else np.datetime64("today", "D")
    except ValueError as error:
        raise DataError(f"--end: expected a day as YYYY-MM-DD, found {end!r}") from error
    moment = last.astype("datetime64[ms]")

    with writing(out, KIND, written(out)) as folder:
        if catalogue is None:
            from eval.simulate.generated import generate

            rows, people = generate(folder, listings, moment, seed, Sellers())
        else:
            source = Dataset.open(catalogue)
            rows, people = read_catalogue(source, vocabulary or [])
            copy_catalogue(source, folder)
            ids = [None if position < 0 else people.ontology.ids[position] for position in people.category]
            write_listings_truth(folder, rows.ids, ids, people.attributes)
        texts = zip(rows.titles, rows.descriptions, rows.attributes, strict=True)
        index = LexicalIndex.build(listing_text(*text) for text in texts)
        site = Site(rows.ids, span(rows.created_at, 0), span(rows.expires_at, 2**62), index)
        log: Log = simulate(site, people, sessions, moment, seed, Searchers())
        typer.echo("writing", err=True)
        write_behaviour(folder / "events.parquet", log.queries, log.events)
        write_intents(folder, log.intents)
    typer.echo(
        f"{len(rows):,} listings, {len(people.ontology):,} categories; simulated: {log.sessions:,} sessions, "
        f"{len(log.queries):,} queries, {log.zero_results:.1%} without a result, {log.count(CLICK):,} clicks, "
        f"{log.count(MESSAGE):,} messages\nwrote {out}"
    )
