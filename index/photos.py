"""Bringing the photos of a source into a dataset folder."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from relevance.artifacts import link_or_copy
from relevance.dataset import Listings

Missing = tuple[str, str]


def link_photos(source: Path, listings: Listings, dataset: Path) -> tuple[Listings, list[Missing]]:
    """Link (hard link, else copy) each listing's photos from the folder `source` into `dataset/images`.

    The paths of `listings` are relative to `source`; those of the result to `dataset`, without the photos
    that are not there. These come second, as (listing id, path). Sub-folders are kept, a leading `images/` of
    all paths is not.
    """
    place = _places([path for paths in listings.images for path in paths])
    missing: list[Missing] = []
    images: list[tuple[str, ...]] = []
    progress = tqdm(zip(listings.ids, listings.images, strict=True), "photos", len(listings), unit=" listings")
    for listing_id, paths in progress:
        found = tuple(place[path] for path in paths if _link(source / path, dataset / place[path]))
        if len(found) < len(paths):
            missing += [(listing_id, path) for path in paths if place[path] not in found]
        images.append(found)
    return replace(listings, images=images), missing


def _places(paths: list[str]) -> dict[str, str]:
    """Where each path of the source goes in the dataset; two files never share a place."""
    clean = {path: PurePosixPath(path) for path in paths}
    all_in_images = all(path.parts[:1] == ("images",) for path in clean.values())
    return {text: str(path if all_in_images else "images" / path) for text, path in clean.items()}


def _link(photo: Path, place: Path) -> bool:
    """Whether the photo is at its place now."""
    try:
        if place.exists():
            return True  # several listings show one photo
        if not photo.is_file():
            return False
        link_or_copy(os.path.realpath(photo), place)
    except OSError:  # a name that is too long, or may not be read
        return False
    return True
