"""Encoded photos for tests: pictures with known corners, and files made by hand that a hostile sender could make."""

import io
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n"
ORIENTATION = 0x0112
CORNERS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))
"""Colours of :func:`quadrants`: top left, top right, bottom left, bottom right."""


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def quadrants(width: int = 40, height: int = 40) -> Image.Image:
    """Red, green / blue, white: no two orientations look alike."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for i, colour in enumerate(CORNERS):
        rows, columns = divmod(i, 2)
        pixels[rows * height // 2 : (rows + 1) * height // 2, columns * width // 2 : (columns + 1) * width // 2] = (
            colour
        )
    return Image.fromarray(pixels)


def turned(image: Image.Image, orientation: int, form: str = "JPEG", **options: object) -> bytes:
    """The photo with an EXIF orientation; its pixels stay as they are."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encoded(image, form, exif=exif, **options)


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, before: bytes = b"", pixels: bytes = b"") -> bytes:
    """An RGB PNG by hand: `before` are more chunks, `pixels` the rows, each after a zero byte."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return PNG + header + before + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def segment(marker: int, content: bytes) -> bytes:
    """A segment of a JPEG's header."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg(width: int, height: int, scans: Sequence[Sequence[int]] = ((1, 2, 3),), before: bytes = b"") -> bytes:
    """A grey baseline JPEG by hand, two bits a block and colour: `scans` are the colours (1, 2, 3) in each of its
    passes, `before` are more segments."""
    code = bytes([1] + [0] * 15 + [0])  # one symbol, 0: "no difference", "no more coefficients"
    blocks = ((width + 7) // 8) * ((height + 7) // 8)
    frame = struct.pack(">BHHB", 8, height, width, 3) + b"".join(bytes([i, 0x11, 0]) for i in (1, 2, 3))
    header = (
        segment(0xDB, bytes([0] + [1] * 64)) + segment(0xC0, frame) + segment(0xC4, b"\x00" + code + b"\x10" + code)
    )
    passes = b"".join(_scan(colours, b"\x00\x3f\x00", 2 * blocks * len(colours)) for colours in scans)
    return b"\xff\xd8" + before + header + passes + b"\xff\xd9"


def endless_jpeg(width: int, height: int, passes: int) -> bytes:
    """A progressive JPEG by hand that goes over its pixels again and again, which costs a few bytes each time."""
    dc, ac = bytes([1] + [0] * 15 + [0]), bytes([1] + [0] * 15 + [0xE0])  # 0xE0: 2^14 empty blocks
    blocks = ((width + 7) // 8) * ((height + 7) // 8)
    header = segment(0xDB, bytes([0] + [1] * 64)) + segment(
        0xC2, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"
    )
    header += segment(0xC4, b"\x00" + dc + b"\x10" + ac)
    again = _scan((1,), b"\x01\x3f\x00", 15 * (blocks // 2**14 + 1) + 8)
    return b"\xff\xd8" + header + _scan((1,), b"\x00\x00\x00", blocks) + passes * again + b"\xff\xd9"


def _scan(colours: Sequence[int], spectrum: bytes, bits: int) -> bytes:
    head = bytes([len(colours)]) + b"".join(bytes([colour, 0]) for colour in colours) + spectrum
    return segment(0xDA, head) + bytes((bits + 7) // 8)
