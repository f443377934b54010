"""Photos decoded in the graph: the runtime's pixels, or refused before they cost much, and none harms another."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from relevance.images import Size, load_photo
from tests.photos import encoded, endless_jpeg, jpeg, png, quadrants
from tests.training.pictures import EXACT, PALETTE, SIZE, picture
from training.serving.decoding import MAX_HELD_PIXELS, MAX_UNSCALED_PIXELS, decode_batch, orientation_of


def clear(image: Image.Image) -> Image.Image:
    """Clear at the top, solid at the bottom."""
    image = image.copy()
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


TWO = picture(9).convert("P", palette=Image.Palette.ADAPTIVE, colors=2)


ROUGH = {
    "two colours": encoded(TWO),
    "one bit": encoded(picture(9).convert("1")),
    "clear png": encoded(clear(picture(9))),
    "clear webp": encoded(clear(picture(9)), "WEBP"),
    "clear gif": encoded(PALETTE, "GIF", transparency=3),
    "clear palette": encoded(PALETTE, transparency=3),
    "clear colour of two": encoded(TWO, transparency=1),
}
"""Steep edges: here the one rounds between its steps and the other does not."""


def frame_of(width: int, height: int) -> bytes:
    """A GIF of ten by ten pixels that has such a frame."""
    gif = encoded(Image.new("P", (width, height)), "GIF")
    return gif[:6] + b"\x0a\0\x0a\0" + gif[10:]


BAD = {
    "empty": b"",
    "text": b"a photo of a chair",
    "truncated jpeg": EXACT["jpeg"][:3000],
    "truncated png": EXACT["png"][:3000],
    "signature of a png": b"\x89PNG",
    "signature of a bmp": b"BM",
    "signature of a gif": b"GIF89a",
    "signature of a webp": b"RIFF\0\0\0\0WEBP",
    "20,000 x 20,000": png(20_000, 20_000, pixels=bytes(10**6)),
    "60,000 x 60,000": jpeg(60_000, 600).replace(b"\x02\x58\xea\x60", b"\xea\x60\xea\x60"),
    "endless passes": endless_jpeg(400, 400, 200),
    "gif with a frame larger than all of it": frame_of(5000, 5000),
    "endless gif comment": encoded(picture(9), "GIF").replace(b"!", b"!\xfe" + b"\2ab" * 30_000 + b"\0!", 1),
    "avif": encoded(picture(9), "AVIF"),
    # TensorFlow writes it beyond the end of its memory.
    "animated webp": encoded(picture(9), "WEBP", save_all=True, append_images=[picture(10)]),
    "bmp with a palette": encoded(PALETTE, "BMP"),
}


@functools.cache
def decoder(size: Size) -> Any:
    return tf.function(lambda files: decode_batch(files, size), input_signature=[tf.TensorSpec([None], tf.string)])


def decoded(photos: list[bytes], size: Size = SIZE) -> tuple[np.ndarray, np.ndarray]:
    pixels, usable = decoder(size)(tf.constant(photos, tf.string))
    return pixels.numpy(), usable.numpy()


def test_pixels_are_the_runtimes_within_rounding() -> None:
    for size in (SIZE, (40, 40)):
        pixels, usable = decoded([*EXACT.values(), *ROUGH.values()], size)
        assert usable.all()
        for i, (kind, photo) in enumerate((EXACT | ROUGH).items()):
            gap = np.abs(load_photo(photo, size).astype(int) - pixels[i])
            most, mean = (3, 0.5) if kind in EXACT else (16, 4)
            assert gap.max() <= most, (kind, gap.max())
            assert gap.mean() <= mean, (kind, gap.mean())


@pytest.mark.parametrize("byte_order", ["MM", "II"])
def test_orientation(byte_order: str) -> None:
    little = byte_order == "II"
    tags = [(0x010F, 2, 6, 200), (0x0112, 3, 1, 6 if little else 6 << 16), (0x011A, 5, 1, 220)]
    order: Any = "little" if little else "big"
    entries = b"".join(
        tag.to_bytes(2, order) + kind.to_bytes(2, order) + n.to_bytes(4, order) + value.to_bytes(4, order)
        for tag, kind, n, value in tags
    )
    directory = byte_order.encode() + (42).to_bytes(2, order) + (8).to_bytes(4, order) + (3).to_bytes(2, order)
    photo = encoded(quadrants(), "JPEG", exif=b"Exif\0\0" + directory + entries + bytes(4))
    assert int(orientation_of(tf.constant(photo))) == 6
    assert int(orientation_of(tf.constant(encoded(quadrants(), "JPEG")))) == 1


def test_bad_photos_cost_the_others_nothing() -> None:
    kinds = [*BAD, "png"]
    pixels, usable = decoded([*BAD.values(), EXACT["png"]])
    assert [kind for kind, fine in zip(kinds, usable, strict=True) if fine] == ["png"]
    assert (pixels[-1] == decoded([EXACT["png"]])[0][0]).all()
    assert not pixels[:-1].any()
    assert decoded([b"no"])[1].tolist() == [False]
    assert decoded([])[0].shape == (0, *SIZE, 3)


@pytest.mark.parametrize(
    ("kind", "largest", "options"),
    [
        ("PNG", MAX_UNSCALED_PIXELS, {}),
        ("WEBP", MAX_UNSCALED_PIXELS, {"quality": 1, "method": 0}),
        ("WEBP", MAX_UNSCALED_PIXELS, {"lossless": True, "quality": 0, "method": 0}),
        ("JPEG", MAX_HELD_PIXELS, {"progressive": True}),
    ],
    ids=["png", "webp", "lossless webp", "progressive jpeg"],
)
def test_large_photos_are_refused_before_they_take_memory(kind: str, largest: int, options: dict[str, Any]) -> None:
    sides = (4000, largest // 4000)
    fits, too_large = (Image.new("RGB", (sides[0], sides[1] + more), (200, 30, 60)) for more in (0, 1))
    pixels, usable = decoded([encoded(fits, kind, **options), encoded(too_large, kind, **options)])
    assert usable.tolist() == [True, False]
    assert np.abs(pixels[0].astype(int) - (200, 30, 60)).max() <= 3


def test_a_large_jpeg_of_one_pass_is_shrunk() -> None:
    image = Image.new("RGB", (4000, MAX_HELD_PIXELS // 4000 + 1), (200, 30, 60))
    assert decoded([encoded(image, "JPEG")])[1].tolist() == [True]


def test_a_jpeg_too_flat_to_be_shrunk_is_refused_where_it_takes_much_memory() -> None:
    flat = [jpeg(60_000, height) for height in (400, 1900)]
    assert decoded(flat, (480, 480))[1].tolist() == [True, False]
    assert decoded(flat)[1].tolist() == [True, True]


def test_one_photo_takes_little_memory() -> None:
    """In a process of its own, whose highest mark is before and after."""
    script = Path(__file__).with_name("decoding_memory.py")
    environment = {**os.environ, "MALLOC_ARENA_MAX": "1"}  # of several, each keeps what a photo left behind
    ran = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, check=True)
    taken = json.loads(ran.stdout.splitlines()[-1])
    assert set(taken) == {"png", "clear png", "webp", "lossless webp", "animated gif", "jpeg", "progressive jpeg"}
    assert max(taken.values()) <= 200, taken


def test_damaged_photos_are_decoded_or_refused() -> None:
    draw = np.random.default_rng(0)
    photos = []
    for photo in [*EXACT.values(), *ROUGH.values()] * 4:
        damaged = bytearray(photo)
        for at in draw.integers(0, min(len(photo), 400), 4):
            damaged[at] = draw.integers(256)
        photos.append(bytes(damaged))
    pixels, usable = decoded(photos)
    assert pixels.shape == (len(photos), *SIZE, 3)
    assert 0 < usable.sum() < len(photos)
