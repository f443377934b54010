"""What is raised on bad input. Every message names the place, what was expected and what was found, the latter cut to
what can be read at a glance."""

from __future__ import annotations

from collections.abc import Sequence

MOST_LETTERS, MOST_NAMES = 120, 20
"""What a message shows of a value, and of a list of names."""


def shortened(text: str) -> str:
    """`text`, or its beginning and "..."."""
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 3] + "..."


def quoted(value: object) -> str:
    """How Python writes `value`, shortened."""
    # Of a text no more than can be shown is written out: it may be as long as a file.
    return shortened(repr(value[: MOST_LETTERS + 1] if isinstance(value, str) else value))


def listed(names: Sequence[str]) -> str:
    """The first names, shortened, and how many more there are."""
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(map(shortened, names[:MOST_NAMES])) + more


class RelevanceError(Exception):
    """Base of every error that a user can mend; command lines print it in one line and exit with 2."""


class DataError(RelevanceError, ValueError):
    """A dataset, or a value passed by a caller, is not what it has to be."""


class StoreBusyError(DataError):
    """Somebody else is writing for too long; the same can be tried again."""


class DiskFullError(DataError):
    """The disk is full; the same can be tried again once there is room."""


class DataWarning(UserWarning):
    """Something was read otherwise than it was written, or there was too little of it to use, and nothing has to be
    mended; command lines print it."""


class RowsError(DataError):
    """Rows of a table are refused: `records` are their positions in that table, `reason` says why."""

    def __init__(self, message: str, records: tuple[int, ...], reason: str) -> None:
        super().__init__(message)
        self.records = records
        self.reason = reason


class BundleError(RelevanceError):
    """A bundle cannot be opened: missing, altered, of another version, or built from parts that disagree."""


class TrainingError(RelevanceError):
    """A training cannot go on: its loss is no number."""


class ArtifactError(RelevanceError):
    """An artifact folder (classifier, listing index, towers) cannot be read or may not be replaced."""
