"""`relevance upsert` and `relevance delete`: listings changed from a file, while others search."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relevance import terminal
from relevance.errors import DataError
from relevance.options import AsJson, Bundle, WrittenLive, path_of, print_answer

if TYPE_CHECKING:
    from relevance.live.engine import LiveEngine
    from relevance.live.listing import NewListing

_BATCH = 500


def upsert(
    file: Annotated[Path, typer.Argument(help="Listings as in a dataset: .jsonl, .csv or .parquet, photos beside it.")],
    live: WrittenLive,
    bundle: Bundle = None,
    as_json: AsJson = False,
) -> None:
    """Write listings, new ones and changed ones. The exit code is 1 where some were refused."""
    found = _read(file)
    total: dict[str, Any] = {"accepted": 0, "rejected": [], "ignored": []}
    with _opened(bundle, live) as engine:
        while batch := list(islice(found, _BATCH)):
            result = engine.upsert([listing for _, listing in batch])
            total["accepted"] += result.accepted
            for kind in ("rejected", "ignored"):
                refused = (asdict(each) for each in getattr(result, kind))
                total[kind] += [{"row": batch[each.pop("index")][0], **each} for each in refused]
    print_answer(total if as_json else terminal.upserted(total))
    if total["rejected"]:
        raise typer.Exit(1)


def delete(
    listing_ids: Annotated[list[str], typer.Argument(metavar="LISTING_ID...")],
    live: WrittenLive,
    bundle: Bundle = None,
    as_json: AsJson = False,
) -> None:
    """Delete listings, of the bundle or written since."""
    with _opened(bundle, live) as engine:
        deleted = engine.delete(listing_ids)
    print_answer({"deleted": deleted} if as_json else f"deleted {deleted} of {len(listing_ids)}")


def _opened(bundle: Path | None, live: Path) -> "LiveEngine":
    import relevance

    return relevance.open(path_of(bundle), live=live)


def _read(file: Path) -> "Iterator[tuple[int, NewListing]]":
    """The row number and listing of each record; raises DataError for what is no table of listings."""
    from relevance.dataset import OPTIONAL, REQUIRED
    from relevance.live.listing import NewListing
    from relevance.tables import is_missing, read_table

    table = read_table(file, REQUIRED, (*OPTIONAL, "version"))
    for i in range(len(table)):
        values = {name: column[i] for name, column in table.columns.items()}
        fields = {name: value for name, value in values.items() if name in REQUIRED or not is_missing(value)}
        yield table.row(i), NewListing(**_converted(fields, file.parent, f"{file}, row {table.row(i)}"))


def _converted(fields: Mapping[str, Any], folder: Path, place: str) -> dict[str, Any]:
    """What a file cannot say as itself: bytes of a photo, and in a CSV numbers and objects."""
    from relevance.images import MAX_BYTES
    from relevance.tables import parse_json

    made = dict(fields)
    try:
        if "image" in made:
            with open(folder / made["image"], "rb") as file:
                made["image"] = file.read(MAX_BYTES + 1)
        for name in {"version", "attributes"} & made.keys():
            if isinstance(made[name], str):
                made[name] = parse_json(made[name])
    except OSError as error:
        raise DataError(f"{place}, column image: {fields['image']!r} cannot be read ({error.strerror})") from error
    except (ValueError, TypeError, json.JSONDecodeError) as error:
        raise DataError(f"{place}: {error}") from error
    return made
