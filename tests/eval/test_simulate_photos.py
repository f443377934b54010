"""The simulated photos: every look of the marketplace is drawn, repeats with its seed, and can be told apart."""

from __future__ import annotations

import io
from collections import defaultdict
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from eval.simulate.dice import Dice
from eval.simulate.marketplace import read_leaves
from eval.simulate.photos import PHOTO_SIDE, jpeg, photo, useless
from eval.simulate.shapes import ARCHETYPES
from eval.simulate.shapes.parts import Parameters
from eval.simulate.sketch import Inks, Sketch

SPECS = [leaf.photo for leaf in read_leaves()]
INKS = Inks(main=(46, 92, 176), accent=(226, 122, 40))
BY_CAMERA = ("palette", "accent", "texture")


def _parsed(spec: str) -> tuple[str, Parameters]:
    name, *pairs = spec.split()
    parameters: Parameters = {}
    for key, _, text in (pair.partition("=") for pair in pairs):
        parameters[key] = float(text) if text.replace(".", "").isdigit() else text
    return name, parameters


def _drawn(name: str, parameters: Parameters) -> bytes:
    sketch = Sketch(INKS)
    ARCHETYPES[name](sketch, parameters, Dice([1]))
    return sketch.image.tobytes()


def _others(value: float) -> tuple[float, ...]:
    """Other numbers: one more and one less (but not none) of a count, a little more and less of a measure."""
    return (value + 1, max(1.0, value - 1)) if value.is_integer() else (value * 1.25, value * 0.75)


def _words() -> dict[tuple[str, str], set[str]]:
    words: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name, parameters in map(_parsed, SPECS):
        for key, value in parameters.items():
            if isinstance(value, str):
                words[name, key].add(value)
    return words


def test_every_archetype_is_registered_and_used() -> None:
    assert {spec.split()[0] for spec in SPECS} == set(ARCHETYPES)


@pytest.mark.parametrize("spec", SPECS)
def test_every_look_gives_an_rgb_square(spec: str) -> None:
    image = photo(spec, None, Dice([3]))
    assert (image.mode, image.size) == ("RGB", (PHOTO_SIDE, PHOTO_SIDE))


@pytest.mark.parametrize("spec", SPECS)
def test_every_parameter_leaves_a_trace(spec: str) -> None:
    name, parameters = _parsed(spec)
    before = _drawn(name, parameters)
    words = _words()
    for key, value in parameters.items():
        # Nought says that a thing has no such part, which needs not show.
        if key in BY_CAMERA or value == 0.0:
            continue
        without = {other: known for other, known in parameters.items() if other != key}
        if isinstance(value, str):
            changes = [{**parameters, key: other} for other in words[name, key] - {value}]
        else:
            changes = [without, *({**parameters, key: other} for other in _others(value))]
        changed = [_drawn(name, change) != before for change in changes] or [True]
        assert any(changed), f"{key} is not drawn in: {spec}"


def test_leaves_of_one_archetype_are_drawn_differently() -> None:
    drawings: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
    for spec in SPECS:
        name, parameters = _parsed(spec)
        drawings[name].append((spec, _drawn(name, parameters)))
    for alike in drawings.values():
        for (one, first), (other, second) in combinations(alike, 2):
            assert first != second, f"drawn alike: {one!r} and {other!r}"


def test_a_seed_fixes_the_photo_and_its_file() -> None:
    def shot(seed: int) -> bytes:
        dice = Dice([seed])
        return jpeg(photo(SPECS[0], "red", dice), dice)

    assert shot(5) == shot(5)
    assert shot(5) != shot(6)


def test_the_file_is_a_jpeg_of_that_size() -> None:
    image = Image.open(io.BytesIO(jpeg(photo(SPECS[0], None, Dice([1])), Dice([2]))))
    assert (image.format, image.size) == ("JPEG", (PHOTO_SIDE, PHOTO_SIDE))


def test_the_colour_of_the_listing_is_seen() -> None:
    spec = next(spec for spec in SPECS if spec.startswith("sofa"))

    def redness(colour: str) -> float:
        middle = [
            np.asarray(photo(spec, colour, Dice([seed])), np.float64)[32:64, 32:64].mean((0, 1)) for seed in range(12)
        ]
        red, _, blue = np.mean(middle, axis=0)
        return float(red - blue)

    assert redness("red") > redness("blue") + 60


def test_an_unknown_colour_falls_back_on_the_palette() -> None:
    assert photo(SPECS[0], "ultraviolet", Dice([4])).tobytes() == photo(SPECS[0], None, Dice([4])).tobytes()


def test_useless_photos_hold_little_detail() -> None:
    def detail(image: Image.Image) -> float:
        grey = np.asarray(image.convert("L"), np.float64)
        return float(np.abs(np.diff(grey)).mean())

    pictures = [useless(Dice([seed])) for seed in range(40)]
    assert {(image.mode, image.size) for image in pictures} == {("RGB", (PHOTO_SIDE, PHOTO_SIDE))}
    usual = np.median([detail(photo(spec, None, Dice([1]))) for spec in SPECS[:40]])
    assert np.median([detail(image) for image in pictures]) < usual / 2


def test_categories_can_be_told_apart() -> None:
    """Nearest centroid over gradient-orientation histograms (Dalal and Triggs 2005), 8 leaves, 20 photos each."""
    specs = SPECS[:: len(SPECS) // 8][:8]
    features = np.array(
        [[_gradients(photo(spec, None, Dice([i, n]))) for n in range(20)] for i, spec in enumerate(specs)]
    )
    centroids = features[:, :10].mean(axis=1)
    distances = np.linalg.norm(features[:, 10:, None] - centroids, axis=-1)
    accuracy = (distances.argmin(axis=-1) == np.arange(8)[:, None]).mean()
    assert accuracy > 3 / 8


def _gradients(image: Image.Image) -> npt.NDArray[np.float64]:
    """Histograms of gradient orientation on a 3 x 3 grid: float64 [72], of unit length."""
    down, right = np.gradient(np.asarray(image.convert("L"), np.float64))
    strength = np.hypot(down, right)
    octant = ((np.arctan2(down, right) + np.pi) / (2 * np.pi) * 8).astype(int) % 8
    histogram = np.zeros((3, 3, 8))
    rows, columns = np.indices(strength.shape) * 3 // PHOTO_SIDE
    np.add.at(histogram, (rows, columns, octant), strength)
    flat = histogram.reshape(-1)
    return flat / np.linalg.norm(flat)
