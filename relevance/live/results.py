"""What a write answers, and how a live engine stands."""

from dataclasses import dataclass
from pathlib import Path

from relevance.tables import is_missing


@dataclass(frozen=True)
class Refused:
    """A listing that was not written: its place in the call, its id ("" where it has none) and why."""

    index: int
    listing_id: str
    reason: str


def id_told(listing_id: object) -> str:
    """Returns the id of a refused listing as it came, "" where there is none: null is not to read as a name."""
    return "" if is_missing(listing_id) else str(listing_id)


@dataclass(frozen=True)
class UpsertResult:
    """accepted: listings written; rejected: those that are no listings, and why; ignored: those whose version is not
    above the stored one, which changes nothing: what is sent twice counts once."""

    accepted: int
    rejected: tuple[Refused, ...]
    ignored: tuple[Refused, ...] = ()


@dataclass(frozen=True)
class LiveStatus:
    """bundle: the folder in use; built_at: when its snapshot was written; change: the last change seen; fresh: rows
    written since the snapshot; removed: rows that no longer count, in snapshot and fresh segment; rows: all rows;
    failure: why the latest bundle or listings cannot be taken in, None where they are."""

    bundle: Path
    built_at: str
    change: int
    fresh: int
    removed: int
    rows: int
    failure: str | None = None
