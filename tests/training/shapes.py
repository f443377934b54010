"""A small dataset of drawn photos: six categories that a small network tells apart in a minute."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SHAPES = ("disc", "cross", "bar")
COLOURS = {"red": (220, 40, 40), "blue": (40, 60, 220)}


def draw(shape: str, colour: tuple[int, int, int], rng: np.random.Generator) -> Image.Image:
    """A shape somewhere near the middle of a light background, 48 by 48."""
    image = Image.new("RGB", (48, 48), tuple(int(v) for v in rng.integers(150, 255, 3)))
    pen = ImageDraw.Draw(image)
    x, y = (int(v) for v in rng.integers(18, 31, 2))
    r = int(rng.integers(10, 16))
    if shape == "disc":
        pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)
    if shape in ("cross", "bar"):
        pen.rectangle((x - r, y - 3, x + r, y + 3), fill=colour)
    if shape == "cross":
        pen.rectangle((x - 3, y - r, x + 3, y + r), fill=colour)
    return image


def write_shapes(root: Path) -> Path:
    """Six categories of 40 photos, one of 1, an unreadable photo, a listing without one, one without a category."""
    (root / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    categories, listings = [], []
    for shape in SHAPES:
        for colour in COLOURS:
            categories.append((f"{shape}-{colour}", f"{shape} > {colour}"))
            for i in range(40):
                name = f"{shape}-{colour}-{i}"
                draw(shape, COLOURS[colour], rng).save(root / "images" / f"{name}.jpg", quality=90)
                listings.append((name, f"{shape} {colour} number {i}", f"{shape}-{colour}", f"images/{name}.jpg"))
    categories += [("rare", "rare"), ("unused", "rare > unused")]
    listings.append(("rare", "rare", "rare", "images/disc-red-0.jpg"))
    (root / "images" / "broken.jpg").write_bytes(b"no photo")
    listings.append(("broken", "broken photo", "disc-red", "images/broken.jpg"))
    listings += [("bare", "no photo", "disc-red", ""), ("unfiled", "no category", "", "images/disc-red-0.jpg")]
    for name, header, rows in (
        ("categories.csv", "category_id,path", categories),
        ("listings.csv", "listing_id,title,category_id,image", listings),
    ):
        (root / name).write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n")
    return root
