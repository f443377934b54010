"""The generated marketplace: its ontology, listings and photos, and what is true of them."""

import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from eval.simulate.assumptions import Sellers
from eval.simulate.dice import Dice
from eval.simulate.marketplace import Leaf, read_leaves
from eval.simulate.photos import jpeg, photo, useless
from eval.simulate.sellers import Offer, offers
from eval.simulate.truth import write_listings_truth
from eval.simulate.wishes import Catalogue
from relevance.dataset import Listings, write_listings
from relevance.ontology import Ontology
from relevance.text import tokens


def generate(folder: Path, n: int, end: np.datetime64, seed: int, assume: Sellers) -> tuple[Listings, Catalogue]:
    """Writes categories, listings, photos and the truth about them into `folder`; returns listings and catalogue."""
    leaves = read_leaves()
    ontology = _ontology(leaves)
    made = offers(leaves, n, end, seed, assume)
    ids = [f"L{number:07d}" for number in range(len(made))]
    _photos(folder / "images", ids, made, leaves, seed)
    listings = _listings(ids, made)
    ontology.write(folder / "categories.csv")
    write_listings(folder / "listings.parquet", listings)
    truth = [{name: str(value) for name, value in offer.truth.items()} for offer in made]
    categories = [offer.leaf.category_id for offer in made]
    write_listings_truth(folder, ids, categories, truth)
    words: dict[str, tuple[list[str], int]] = {}
    for leaf in leaves:
        words[leaf.path[-1]] = ([*leaf.sellers, *leaf.searchers], len(leaf.sellers))
    positions = [ontology.position(category) for category in categories]
    title_words = frozenset(word for title in listings.titles for word in tokens(title))
    return listings, Catalogue(ontology, positions, truth, words, title_words)


def _ontology(leaves: Sequence[Leaf]) -> Ontology:
    paths = {leaf.path[:depth] for leaf in leaves for depth in range(1, len(leaf.path) + 1)}
    ordered = sorted(paths)
    return Ontology.from_paths(["/".join(name.lower().replace(" ", "-") for name in path) for path in ordered], ordered)


def _listings(ids: list[str], made: list[Offer]) -> Listings:
    return Listings(
        ids=ids,
        titles=[offer.title for offer in made],
        descriptions=[offer.description for offer in made],
        category_ids=[offer.category_id for offer in made],
        images=[(f"images/{name}.jpg",) if offer.photo else () for name, offer in zip(ids, made, strict=True)],
        price=np.array([offer.price for offer in made]),
        latitude=np.array([round(offer.place[0], 4) for offer in made]),
        longitude=np.array([round(offer.place[1], 4) for offer in made]),
        created_at=np.array([offer.created_at for offer in made], "datetime64[ms]"),
        expires_at=np.array([offer.expires_at for offer in made], "datetime64[ms]"),
        locales=["en"] * len(made),
        attributes=[offer.attributes for offer in made],
    )


class _Shot(NamedTuple):
    """What one photo shows; spec None for a useless one."""

    path: Path
    spec: str | None
    colour: str | None
    broken: bool
    seed: tuple[int, ...]


def _photos(folder: Path, ids: list[str], made: list[Offer], leaves: Sequence[Leaf], seed: int) -> None:
    folder.mkdir(parents=True)
    dice = Dice((seed, 4))
    shots = []
    for number, (name, offer) in enumerate(zip(ids, made, strict=True)):
        if offer.photo is None:
            continue
        shown = dice.pick(leaves) if offer.photo == "wrong" else offer.leaf
        colour = None if offer.photo == "wrong" else offer.truth.get("colour")
        spec = None if offer.photo == "useless" else shown.photo
        shots.append(_Shot(folder / f"{name}.jpg", spec, colour, offer.photo == "broken", (seed, 5, number)))
    with ProcessPoolExecutor(2) as pool:
        list(tqdm(pool.map(_shoot, shots, chunksize=64), total=len(shots), desc="photos", unit="photo", mininterval=1))


def _shoot(shot: _Shot) -> None:
    dice = Dice(shot.seed)
    image = useless(dice) if shot.spec is None else photo(shot.spec, shot.colour, dice)
    encoded = jpeg(image, dice)
    # A broken upload: cut off in the middle, or not an image at all.
    if shot.broken:
        encoded = encoded[: len(encoded) // 3] if dice.chance(0.7) else json.dumps({"error": "upload"}).encode()
    shot.path.write_bytes(encoded)
