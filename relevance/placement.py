"""Where a listing lies: in the ontology and in the joint space. Index building and live listings place alike."""

import numpy as np
from numpy.typing import NDArray

from relevance.dataset import Listings
from relevance.ontology import Ontology
from relevance.towers import Towers, listing_arrays

TRUSTED = 0.3
"""A photo's predicted category is used from this probability on."""


def place(
    towers: Towers,
    ontology: Ontology,
    listings: Listings,
    category: NDArray[np.int32],
    visual: NDArray[np.float32],
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Returns the category of each of n listings, int32 `[n]`, and its vector in the joint space, float32 `[n, dim]`.

    category: ontology positions, -1 where neither the seller nor the photo tells it: there the text does; visual:
    float32 `[n, visual_dim]`, zero rows without a usable photo.
    """
    paths = ["" if position < 0 else ontology.path_text(position) for position in category.tolist()]
    arrays = listing_arrays(towers.featuriser, listings.titles, listings.attributes, paths, visual, listings.price)
    joint = towers.listings(arrays)
    placed = category.copy()
    placed[category < 0] = (joint[category < 0] @ towers.category_embeddings.T).argmax(axis=1)
    return placed, joint
