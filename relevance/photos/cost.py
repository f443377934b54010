"""What decoding a photo would cost, told before it is decoded: a small file can be made to cost gigabytes or minutes.

Mental model: both functions let a photo pass or raise Pillow's DecompressionBombError. The limits of Pillow itself are
on pixels only, and it makes a Python object of every piece of metadata.
"""

from collections.abc import Iterator
from itertools import islice

from PIL import Image

MAX_PIXELS = 120_000_000
"""Largest photo, in pixels of the file (a 108-megapixel phone camera still passes)."""

MAX_MEMORY = 200 * 2**20
"""Most memory that decoding one photo may take, its file included, in bytes."""

MAX_PIECES = 20_000
"""Most pieces of a file that Pillow reads one by one; a 40 MB PNG in the usual pieces of 8 kB has 5,000."""

MAX_SCANS = 100
"""Most passes of a progressive JPEG, each of which goes over all its pixels (encoders write about ten)."""

MAX_RUN_LENGTHS = 4_000_000
"""Most pixels and bytes of a BMP of run lengths, which Pillow decodes byte by byte in Python: about a second."""

# Bytes a pixel of the decoder, the decoded pixels and what is made of them until they are small: the highest of
# measurements at 12 megapixels, rounded up. WebP and AVIF decoders hold several copies.
_DECODER = {"WEBP": {"RGB": 16, "RGBA": 16}, "AVIF": {"RGB": 15, "RGBA": 18}}
_PIXELS = {"1": 6, "L": 2, "P": 6, "RGB": 5, "CMYK": 5, "LA": 9, "RGBA": 9, "I;16": 10}
_UNKNOWN = 24
_TRANSPARENT_COLOUR = 8
_TEXT = 4 * 2**20  # one compressed text of a PNG: Pillow's limit of 2**20 letters, at up to 4 bytes a letter


def refuse_endless_metadata(data: bytes) -> None:
    """Raises DecompressionBombError where the header's pieces alone would take long to read."""
    pieces = next((walk for signature, walk in _PIECES.items() if data.startswith(signature)), None)
    if pieces and next(islice(pieces(data), MAX_PIECES, None), None) is not None:
        raise Image.DecompressionBombError(f"more than {MAX_PIECES} pieces of metadata")
    if _compressed_texts(data) * _TEXT > MAX_MEMORY // 2:
        raise Image.DecompressionBombError("too many compressed texts")


def refuse_bomb(image: Image.Image, data: bytes, wanted: tuple[int, int]) -> None:
    """Raises DecompressionBombError where decoding takes more than the limits.

    `image` is opened from `data` and not loaded yet; `wanted` is the width and height that is asked of a JPEG, which is
    shrunk towards it while it is decoded. Afterwards `image` is set to be decoded so.
    """
    if image.width * image.height > MAX_PIXELS:
        raise Image.DecompressionBombError(f"{image.width} x {image.height} pixels")
    if _in_run_lengths(image) and image.width * image.height + len(data) > MAX_RUN_LENGTHS:
        raise Image.DecompressionBombError(f"{image.width} x {image.height} pixels in run lengths")
    held = len(data) + _held_for_passes(image, data) + _compressed_texts(data) * _TEXT
    image.draft("RGB", wanted)
    per_pixel = _DECODER.get(image.format or "", _PIXELS).get(image.mode, _UNKNOWN)
    per_pixel += _TRANSPARENT_COLOUR * ("transparency" in image.info)
    if held + per_pixel * image.width * image.height > MAX_MEMORY:
        raise Image.DecompressionBombError(f"{image.width} x {image.height} pixels of {per_pixel} bytes")


def _in_run_lengths(image: Image.Image) -> bool:
    """1 and 2 are run lengths of 8 and of 4 bits; 0 and 3 pixels as they are."""
    return image.format == "BMP" and image.info.get("compression") in (1, 2)


def _held_for_passes(image: Image.Image, data: bytes) -> int:
    """Bytes of the coefficients that libjpeg holds, at full size, where a JPEG comes in more than one pass."""
    layers = getattr(image, "layer", ())  # (id, horizontal samples, vertical samples, table) of each colour
    if not layers or _is_baseline(image, data, len(layers)):
        return 0
    if data.count(b"\xff\xda") > MAX_SCANS:
        raise Image.DecompressionBombError(f"more than {MAX_SCANS} passes")
    samples: list[int] = [horizontal * vertical for _, horizontal, vertical, _ in layers]
    return 2 * image.width * image.height * sum(samples) // max(samples)


def _is_baseline(image: Image.Image, data: bytes, layers: int) -> bool:
    """Whether the first scan holds all colours, at full precision."""
    *_, last = _jpeg_markers(data)
    return not image.info.get("progressive") and data[last : last + 2] == b"\xff\xda" and data[last + 4] == layers


def _jpeg_markers(data: bytes) -> Iterator[int]:
    """Where Pillow looks for a marker, up to the first scan; a byte that is none is a piece too."""
    at = 2
    while at + 4 < len(data):
        yield at
        marker = data[at + 1]
        if data[at] != 0xFF or marker == 0xFF:
            at += 1
        elif marker in (0x00, 0xC8) or 0xD0 <= marker <= 0xD9 or 0xF0 <= marker <= 0xFD:
            at += 2
        elif marker == 0xDA:
            return
        else:
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))


def _png_chunks(data: bytes) -> Iterator[int]:
    at = 8
    while at + 12 <= len(data):
        yield at
        at += 12 + int.from_bytes(data[at : at + 4], "big")


def _compressed_texts(data: bytes) -> int:
    if not data.startswith(b"\x89PNG"):
        return 0
    names = (data[at + 4 : at + 8] for at in islice(_png_chunks(data), MAX_PIECES))
    return sum(name in (b"zTXt", b"iTXt") for name in names)


def _gif_blocks(data: bytes) -> Iterator[int]:
    """The blocks before the first frame."""
    flags = data[10] if len(data) > 10 else 0
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while at < len(data) and data[at] not in b",;":
        yield at
        if data[at] == 0x21:
            at += 2
            while at < len(data) and data[at]:
                yield at
                at += data[at] + 1
        at += 1


_PIECES = {b"\xff\xd8\xff": _jpeg_markers, b"\x89PNG\r\n\x1a\n": _png_chunks, b"GIF8": _gif_blocks}
