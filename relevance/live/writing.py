"""From a new listing to what is written of it, and from what was written to what this bundle's models make of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from relevance.engine import Engine
from relevance.errors import DataError
from relevance.images import PhotoError
from relevance.live.encoder import ListingEncoder, Look
from relevance.live.listing import LiveListing, NewListing, checked
from relevance.live.store import LiveStore, State, Write

_LIVE_PHOTO = "live:"
"""How the `image` of a listing begins whose photo lies in the live store."""


class Draft(NamedTuple):
    """A checked listing and what its photo tells."""

    listing: LiveListing
    look: Look
    new: NewListing


def listings_of(given: Iterable[NewListing]) -> list[NewListing]:
    """Returns the listings of a call; raises DataError where it was called with anything else."""
    expected = "upsert: expected a list of relevance.NewListing"
    if not isinstance(given, Iterable):
        raise DataError(f"{expected}, got {type(given).__name__}")
    listings = list(given)
    for place, listing in enumerate(listings):
        if not isinstance(listing, NewListing):
            raise DataError(f"{expected}, got {type(listing).__name__} at {place}")
    return listings


def distinct(listings: Iterable[NewListing]) -> Iterator[list[tuple[int, NewListing]]]:
    """Yields the listings with their places, in batches that have no id twice: what a listing keeps of its last state,
    its photo, is known once that is written."""
    batch: dict[str, tuple[int, NewListing]] = {}
    for index, new in enumerate(listings):
        if str(new.listing_id) in batch:
            yield list(batch.values())
            batch = {}
        batch[str(new.listing_id)] = (index, new)
    if batch:
        yield list(batch.values())


def drafted(engine: Engine, encoder: ListingEncoder, store: LiveStore, new: NewListing) -> Draft:
    """Checks a listing and looks at its photo, or at the one that it keeps; raises DataError with the reason."""
    listing = checked(new, engine.ontology)
    if new.image:
        try:
            return Draft(replace(listing, image=_LIVE_PHOTO + listing.listing_id), encoder.look(new.image), new)
        except PhotoError as error:
            raise DataError(f"image: expected a photo, but it is {error}") from None
    if new.image is not None:
        return Draft(listing, encoder.blind, new)
    image, look = _kept(engine, encoder, store, listing.listing_id)
    if not listing.title and image is None:
        checked(replace(new, image=b""), engine.ontology)  # no photo is there to keep
    listing = replace(listing, image=image)
    if listing.category_id is None and look.category < 0:  # so far somebody else has told it
        again = _look_again(listing, encoder, store)
        look = again if again.embedding.any() else look
    return Draft(listing, look, new)


def _kept(engine: Engine, encoder: ListingEncoder, store: LiveStore, listing_id: str) -> tuple[str | None, Look]:
    """The image that a listing has, and what it told; also of one that had expired and was left out by compaction."""
    listing = engine.catalogue.find(listing_id)
    if listing is not None:
        return listing.image, encoder.look_of(engine.catalogue, listing)
    state = store.get(listing_id)
    if state is None or state.listing is None or state.encoding is None:
        return None, encoder.blind
    own = state.models == encoder.key
    look = encoder.look_in(state.encoding) if own else _look_again(state.listing, encoder, store)
    return state.listing.image, look


def encoded(encoder: ListingEncoder, drafts: Sequence[Draft], change: int) -> list[Write]:
    """Returns what is written of each draft. change: the last one that was known when they were drafted."""
    encodings = encoder.encode([draft.listing for draft in drafts], [draft.look for draft in drafts])
    return [
        Write(draft.listing, draft.new.version, draft.new.image, encoder.key, encoding, change)
        for draft, encoding in zip(drafts, encodings, strict=True)
    ]


def recoded(states: Sequence[State], encoder: ListingEncoder, store: LiveStore) -> list[State]:
    """Returns the states with encodings of this bundle's models: those written under another are encoded anew."""
    foreign = [state for state in states if state.listing is not None and state.models != encoder.key]
    listings = [state.listing for state in foreign if state.listing is not None]
    looks = [_look_again(listing, encoder, store) for listing in listings]
    anew = dict(zip((state.change for state in foreign), encoder.encode(listings, looks), strict=True))
    return [state._replace(encoding=anew.get(state.change, state.encoding)) for state in states]


def _look_again(listing: LiveListing, encoder: ListingEncoder, store: LiveStore) -> Look:
    if listing.image is None:
        return encoder.blind
    if not listing.image.startswith(_LIVE_PHOTO):
        return encoder.kept_look(listing.listing_id)
    try:
        return encoder.look(store.photo(listing.listing_id))
    except PhotoError:  # it was a photo when it was written; another release may read fewer formats
        return encoder.blind
