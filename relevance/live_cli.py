"""`relevance upsert` and `relevance delete`: listings changed from a file, while others search."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from relevance import terminal
from relevance.errors import DataError, quoted
from relevance.options import AsJson, Bundle, WrittenLive, path_of, print_answer

if TYPE_CHECKING:
    from relevance.live.engine import LiveEngine
    from relevance.live.listing import NewListing

_BATCH = 500
_GLANCE = (224, 224)
"""The size in which several photos are tried: about what encoders see."""

_EXACT = 2**53
"""From here on two whole numbers may be one float."""


def upsert(
    file: Annotated[Path, typer.Argument(help="Listings as in a dataset: .jsonl, .csv or .parquet, photos beside it.")],
    live: WrittenLive,
    bundle: Bundle = None,
    as_json: AsJson = False,
) -> None:
    """Write listings, new ones and changed ones. The exit code is 1 where some were refused."""
    total: dict[str, Any] = {"accepted": 0, "rejected": [], "ignored": []}
    with _opened(bundle, live) as engine:
        found = _read(file, total["rejected"])
        while batch := list(islice(found, _BATCH)):
            result = engine.upsert([listing for _, listing in batch])
            total["accepted"] += result.accepted
            for kind in ("rejected", "ignored"):
                refused = (asdict(each) for each in getattr(result, kind))
                total[kind] += [{"row": batch[each.pop("index")][0], **each} for each in refused]
    total["rejected"].sort(key=itemgetter("row"))
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


def _read(file: Path, rejected: list[dict[str, Any]]) -> "Iterator[tuple[int, NewListing]]":
    """The row number and listing of each record; those that cannot be read are added to `rejected`, with the reason.
    Raises DataError for what is no table of listings."""
    from relevance.dataset import OPTIONAL, REQUIRED
    from relevance.live.listing import NewListing
    from relevance.live.results import id_told
    from relevance.tables import BadRow, is_missing, read_table

    malformed: list[BadRow] = []
    table = read_table(file, REQUIRED, (*OPTIONAL, "version"), malformed=malformed)
    rejected += [{"row": bad.row, "listing_id": "", "reason": bad.reason} for bad in malformed]
    for i in range(len(table)):
        values = {name: column[i] for name, column in table.columns.items()}
        fields = {name: value for name, value in values.items() if name in REQUIRED or not is_missing(value)}
        try:
            listing = NewListing(**_converted(fields, file.parent))
        except DataError as error:
            rejected.append({"row": table.row(i), "listing_id": id_told(fields["listing_id"]), "reason": str(error)})
            continue
        yield table.row(i), listing


def _converted(fields: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What a file cannot say as the engine takes it: the bytes of a photo, and in a CSV or Parquet the version."""
    made = dict(fields)
    if "image" in made:
        made["image"] = _photo(made["image"], folder)
    if "version" in made:
        made["version"] = _version(made["version"])
    return made


def _photo(value: Any, folder: Path) -> bytes | None:
    """The first usable one of a listing's photos, as index building has it; None without any. Raises DataError where
    none can be used."""
    from relevance.dataset import image_paths, leaves_folder
    from relevance.images import PhotoError, load_photo, read_photo

    paths = image_paths(value)
    if paths is None:
        raise DataError(f"image: expected paths beside the file, such as images/1.jpg, found {quoted(value)}")
    refused = []
    for path in paths:
        if leaves_folder(path):
            refused.append(f"{quoted(path)} is outside the file's folder")
            continue
        try:
            photo = read_photo(folder / path)
            # Of one alone the engine says what is wrong, while it encodes it; no bytes would take away what is there.
            if len(paths) > 1 or not photo:
                load_photo(photo, _GLANCE)
            return photo
        except PhotoError as error:
            refused.append(f"{quoted(path)} is {error.reason}")
    if refused:
        raise DataError(f"image: expected a photo, but {', '.join(refused)}")
    return None


def _version(value: Any) -> Any:
    """A number where the file has one; what is none stays, and is refused with its listing."""
    from relevance.tables import parse_json

    if isinstance(value, str):
        with suppress(ValueError):
            value = parse_json(value)
    # Where some rows have no version, many programs write that of the others as 1.0.
    whole = isinstance(value, np.integer) or (isinstance(value, float) and value.is_integer() and abs(value) < _EXACT)
    return int(value) if whole else value
