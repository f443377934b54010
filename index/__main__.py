"""`python -m index dataset | listings | build | calibrate | promote | compact`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relevance.entry import run

app = typer.Typer(help="Build indexes offline.", no_args_is_help=True, add_completion=False)

Out = Annotated[Path, typer.Option(help="The folder to write; replaced where this program wrote it before.")]
Column = Annotated[str | None, typer.Option(metavar="COLUMN")]


@app.command()
def dataset(
    source: Annotated[
        Path, typer.Argument(help="A .csv (comma, semicolon or tab), .jsonl (both also .gz) or .parquet.")
    ],
    out: Out,
    id: Annotated[str, typer.Option(metavar="COLUMN", help="The listing's id, unique.")],
    title: Annotated[str, typer.Option(metavar="COLUMN")],
    category: Annotated[
        str, typer.Option(metavar="COLUMN,...", help="One column with a joined path, or one column a level.")
    ] = "",
    separator: Annotated[str, typer.Option(help="What joins the names of a path in one category column.")] = ">",
    ontology: Annotated[
        Path | None,
        typer.Option(help="A categories.csv that the rows refer to by path or id; else made from the rows."),
    ] = None,
    image: Annotated[
        str | None, typer.Option(help="A column, or a template such as images/{id}.jpg, from the source's folder.")
    ] = None,
    attributes: Annotated[str, typer.Option(metavar="COLUMN,...", help="Attributes; a.b reaches into an object.")] = "",
    description: Column = None,
    price: Column = None,
    latitude: Column = None,
    longitude: Column = None,
    created_at: Column = None,
    expires_at: Column = None,
    locale: Column = None,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Write bad rows to rejected.csv instead of stopping.")
    ] = False,
) -> None:
    """Make a dataset folder of any table, by naming its columns."""
    from index.columns import ColumnNames
    from index.dataset import run

    names = ColumnNames(
        listing_id=id,
        title=title,
        category=_names(category),
        image=image,
        attributes=_names(attributes),
        description=description,
        price=price,
        latitude=latitude,
        longitude=longitude,
        created_at=created_at,
        expires_at=expires_at,
        locale=locale,
    )
    typer.echo(run(source, out, names, separator, ontology, skip_bad_rows))
    typer.echo(f"wrote {out}")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


@app.command()
def listings(
    dataset: Annotated[Path, typer.Argument(help="A dataset folder.")],
    classifier: Annotated[Path, typer.Option(help="The folder of a trained classifier.")],
    out: Out,
    attributes: Annotated[
        list[Path] | None, typer.Option(help="The folder of an attribute model; may be given several times.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Photos at work at a time.")] = 2,
) -> None:
    """Predict a category, attributes and an embedding for the photos of every listing.

    A run that was interrupted is gone on with by the same command.
    """
    from index.listings import run

    made = run(dataset, classifier, out, attributes or [], threads)
    typer.echo(f"{made.pace}")
    if made.counts["bad_photos"]:
        typer.echo(f"{made.counts['bad_photos']:,} photos could not be used: see {out / 'bad_photos.csv'}")
    typer.echo(f"wrote {out}")


@app.command()
def build(
    dataset: Annotated[Path, typer.Argument(help="A dataset folder.")],
    towers: Annotated[Path, typer.Option(help="The folder of trained towers.")],
    out: Out,
    listings: Annotated[
        Path | None, typer.Option(help="The folder that `listings` wrote; left out for a catalogue without photos.")
    ] = None,
) -> None:
    """Build the bundle that the runtime opens."""
    import index.build

    index.build.run(dataset, listings, towers, out)
    typer.echo(f"wrote {out}")


@app.command()
def calibrate(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the folder that `promote` keeps.")],
    events: Annotated[
        Path, typer.Option(help="A dataset's folder, an events file, or the folder of `relevance serve --events`.")
    ],
    out: Out,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Use what is newer; by default what the bundle does not know yet."),
    ] = None,
) -> None:
    """Fit a bundle anew to newer behaviour, without training or indexing: what is stated of its filter holds again.

    Promote the result to put it in use. Listings written since the bundle count once they are part of it (`compact`).
    """
    import index.recalibrate

    typer.echo(index.recalibrate.report(index.recalibrate.run(bundle, events, out, since)))
    typer.echo(f"wrote {out}")


At = Annotated[Path, typer.Option("--at", metavar="ROOT", help="The folder whose link `current` names what is in use.")]
Live = Annotated[Path | None, typer.Option(help="The folder of the live listings.")]


@app.command()
def promote(
    at: At,
    new: Annotated[Path | None, typer.Argument(help="The bundle to put in use.")] = None,
    live: Live = None,
    smoke: Annotated[
        Path | None,
        typer.Option(help="Columns query, optional expected: a listing id, `none` for no answer, or nothing for any."),
    ] = None,
    judgments: Annotated[
        Path | None, typer.Option(help="Columns query, listing_id, grade: it may not answer worse than what is in use.")
    ] = None,
    tolerance: Annotated[float, typer.Option(min=0, help="By how much NDCG@10 may fall.")] = 0.01,
    rollback: Annotated[bool, typer.Option("--rollback", help="Put the previous bundle in use again.")] = False,
) -> None:
    """Check a bundle and put it in use; those who answer swap to it without dropping a request."""
    import index.promote
    from relevance.errors import DataError

    if rollback == (new is not None):
        raise DataError("promote: give either the bundle to put in use or --rollback")
    if new is None:
        typer.echo(f"back to {index.promote.roll_back(at)}")
        return
    done = index.promote.promote(new, at, live, smoke, judgments, tolerance)
    typer.echo("\n".join(done.checks))
    typer.echo(f"in use: {done.bundle}, {done.listings:,} listings")


@app.command()
def compact(
    bundle: Annotated[Path, typer.Argument(help="The folder that `promote` keeps, or a bundle.")],
    live: Annotated[Path, typer.Option(help="The folder of the live listings.")],
    out: Annotated[Path | None, typer.Option(help="The bundle to write, where BUNDLE is one.")] = None,
) -> None:
    """Make the live listings part of the snapshot, so that fewer are held in memory."""
    import index.promote

    typer.echo(f"wrote a snapshot of {index.promote.compact_bundle(bundle, live, out):,} listings")


if __name__ == "__main__":
    run(app, "python -m index")
