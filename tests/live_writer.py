"""Writes live listings until it is killed: `python live_writer.py ROOT LIVE FIRST SEED`.

The operations are a function of the seed alone; a line is written once one is acknowledged.
"""

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import relevance

LISTINGS = 12
"""Ids that are written over and over."""


class Operation(NamedTuple):
    """Number `n` of all: writes `listing_id` in version n, deletes it, or writes the next snapshot."""

    n: int
    kind: str
    listing_id: str

    @property
    def title(self) -> str:
        """Its first word is in no other listing."""
        return f"flibberwock{self.n}q lamp"


def operations(seed: int, first: int = 0) -> Iterator[Operation]:
    """Yields the operations from number `first` on."""
    rng = random.Random(seed)
    n = 0
    while True:
        kind = rng.choices(("upsert", "delete", "compact"), (70, 28, 2))[0]
        operation = Operation(n, kind, f"live-{rng.randrange(LISTINGS)}")
        if n >= first:
            yield operation
        n += 1


def run(engine: relevance.LiveEngine, operation: Operation) -> None:
    """Does it."""
    if operation.kind == "upsert":
        listing = relevance.NewListing(operation.listing_id, operation.title, version=operation.n)
        assert not engine.upsert([listing]).rejected
    elif operation.kind == "delete":
        engine.delete([operation.listing_id])
    else:
        engine.compact()


def main() -> None:
    root, live, first, seed = sys.argv[1:]
    engine = relevance.open(Path(root), live=live)
    for operation in operations(int(seed), int(first)):
        run(engine, operation)
        print(operation.n, flush=True)


if __name__ == "__main__":
    main()
