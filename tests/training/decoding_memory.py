"""Prints how many MiB more the process held at most after one photo of each kind, as large as the graph takes."""

import ctypes
import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from training.serving.decoding import MAX_HELD_PIXELS, MAX_UNSCALED_PIXELS, decode_batch


def photo(kind: str, pixels: int, mode: str = "RGB", **options: Any) -> bytes:
    """Of so many pixels, coarse noise: what is all one colour may be decoded in less."""
    side = int(pixels**0.5)
    noise = np.random.default_rng(0).integers(0, 256, (side // 200 + 1, side // 200 + 1, len(mode)), np.uint8)
    file = BytesIO()
    Image.fromarray(noise, mode).resize((side, side), Image.Resampling.NEAREST).save(file, kind, **options)
    return file.getvalue()


def animation(pixels: int, frames: int) -> bytes:
    """A GIF of the same frame again and again."""
    one = photo("GIF", pixels)
    begin = 13 + 3 * 256
    return one[:begin] + one[begin:-1] * frames + b";"


PHOTOS = {
    "progressive jpeg": photo("JPEG", MAX_HELD_PIXELS, quality=50, progressive=True),
    "lossless webp": photo("WEBP", MAX_UNSCALED_PIXELS, "RGBA", lossless=True, quality=0, method=0),
    "webp": photo("WEBP", MAX_UNSCALED_PIXELS, quality=10, method=0),
    "animated gif": animation(MAX_UNSCALED_PIXELS, 40),
    "jpeg": photo("JPEG", 100_000_000, quality=50),
    "png": photo("PNG", MAX_UNSCALED_PIXELS, compress_level=1),
    "clear png": photo("PNG", MAX_UNSCALED_PIXELS, "RGBA", compress_level=1),
}


def reset() -> None:
    """What is free is given back, and the highest mark is from now on."""
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def peak() -> int:
    """Kibibytes."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1])


decoder = tf.function(lambda files: decode_batch(files, (128, 96)), input_signature=[tf.TensorSpec([None], tf.string)])
decoder(tf.constant([photo("PNG", 10_000), photo("PNG", 10_000, "RGBA"), photo("JPEG", 10_000), photo("WEBP", 10_000)]))
files = {name: tf.constant([data]) for name, data in PHOTOS.items()}
reset()
before, taken = peak(), {}
for name, file in files.items():
    # What earlier photos took may still be held: the figure is at most too high.
    reset()
    assert decoder(file)[1].numpy().tolist() == [True], name
    taken[name] = (peak() - before) / 1024
print(json.dumps(taken))
