"""Photos people upload: decoded small, upright and of one size, or refused with the reason.

Mental model: ``load_photo(path_or_bytes, (128, 96))`` is a ``uint8 [128, 96, 3]`` array or a :class:`PhotoError`.
"""

import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from relevance.errors import RelevanceError
from relevance.photos.ahead import map_ahead
from relevance.photos.cost import refuse_bomb, refuse_endless_metadata

MAX_BYTES = 40 * 2**20
"""Largest file that is read, in bytes."""

# `refuse_bomb` judges what a photo takes by more than its pixels.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")
_OTHER_FORMATS = (b"II*\0", b"MM\0*", b"\0\0\0\x0cjP  ", b"8BPS")
"""First bytes of TIFF, JPEG 2000 and Photoshop files, which no browser shows; HEIC is told by `_is_heic`."""
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"RIFF", b"BM")
_ORIENTATION = 0x0112
_UPRIGHT = {  # EXIF orientation -> what turns the stored pixels upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (5, 6, 7, 8)


Size = tuple[int, int]
"""Height and width, in pixels."""


class PhotoError(RelevanceError):
    """A photo that cannot be used.

    ``reason`` is one of "missing", "unreadable", "empty", "too large", "truncated", "not an image",
    "unsupported format" (TIFF, HEIC and others that browsers do not show), "damaged".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class LoadedPhoto:
    """The first usable photo of a listing, and why the ones before it were not usable.

    ``photo`` is ``uint8 [height, width, 3]``, or None where no path gave a usable photo; ``seconds`` the processor
    time it took.
    """

    photo: NDArray[np.uint8] | None
    bad: tuple[tuple[Path, str], ...]
    seconds: float


def load_photo(source: Path | bytes, size: Size) -> NDArray[np.uint8]:
    """Decode one photo to upright RGB, ``uint8 [height, width, 3]`` for ``size = (height, width)``.

    The largest centred part of that shape is kept (no letterbox, no stretching), transparent parts become white, a
    JPEG is shrunk while it is decoded. Only the first frame of an animation is read.

    Raises PhotoError with the reason; nothing else, whatever the bytes are.
    """
    data = read_photo(source) if isinstance(source, Path) else source
    image = _open(data)
    try:
        return _fitted(image, data, size)
    except (Image.DecompressionBombError, MemoryError) as error:
        raise PhotoError("too large") from error
    except Exception as error:  # decoders raise almost any type on hostile bytes
        raise _broken(error) from error
    finally:
        image.close()


def photo_size(path: Path) -> tuple[int, int]:
    """Width and height as the photo is looked at (upright), from its header alone; raises PhotoError."""
    image = _open(read_photo(path))
    try:
        return image.size[::-1] if _header_orientation(image) in _SIDEWAYS else image.size
    finally:
        image.close()


def load_first(paths: Sequence[Path], size: Size) -> LoadedPhoto:
    """The first usable one of a listing's photos."""
    started = time.thread_time()
    bad: list[tuple[Path, str]] = []
    photo = None
    for path in paths:
        try:
            photo = load_photo(path, size)
            break
        except PhotoError as error:
            bad.append((path, error.reason))
    return LoadedPhoto(photo, tuple(bad), time.thread_time() - started)


def load_many(listings: Iterable[Sequence[Path]], size: Size, threads: int) -> Iterator[LoadedPhoto]:
    """:func:`load_first` for each listing's paths, in order, decoded by ``threads`` threads.

    At most 64 photos per thread are held ahead of the consumer, so memory does not grow with the catalogue.
    """
    return map_ahead(partial(load_first, size=size), listings, threads, most=64 * threads)


def read_photo(path: Path) -> bytes:
    """The bytes of a photo's file, whatever they are; raises PhotoError with the reason."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PhotoError("too large")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PhotoError("missing") from error
    except (OSError, ValueError) as error:  # a folder, no permission; a NUL in the name
        raise PhotoError("unreadable") from error


def _open(data: bytes) -> Image.Image:
    if not data:
        raise PhotoError("empty")
    if len(data) > MAX_BYTES:
        raise PhotoError("too large")
    try:
        refuse_endless_metadata(data)
        return Image.open(BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise PhotoError("too large") from error
    except UnidentifiedImageError as error:
        raise PhotoError(_unidentified(data)) from error
    except Exception as error:  # as above: a header may break a decoder in any way
        raise _broken(error) from error


def _unidentified(data: bytes) -> str:
    if data.startswith(_SIGNATURES):
        return "truncated"
    return "unsupported format" if data.startswith(_OTHER_FORMATS) or _is_heic(data) else "not an image"


def _is_heic(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def _broken(error: Exception) -> PhotoError:
    return PhotoError("truncated" if "truncated" in str(error).lower() else "damaged")


def _fitted(image: Image.Image, data: bytes, size: Size) -> NDArray[np.uint8]:
    height, width = _as_stored(size, _header_orientation(image))
    refuse_bomb(image, data, (2 * width, 2 * height))  # twice: the last halving is a better filter than the DCT's
    image.load()
    orientation = _orientation(image)
    height, width = _as_stored(size, orientation)
    image = _resizable(image)
    scale = min(image.width / width, image.height / height)
    left, top = (image.width - scale * width) / 2, (image.height - scale * height) / 2
    box = (left, top, left + scale * width, top + scale * height)
    small = image.resize((width, height), Image.Resampling.BILINEAR, box=box, reducing_gap=2.0)
    if orientation in _UPRIGHT:
        small = small.transpose(_UPRIGHT[orientation])
    return np.array(_on_white(small), dtype=np.uint8)


def _as_stored(size: Size, orientation: int) -> Size:
    return size[::-1] if orientation in _SIDEWAYS else size


def _header_orientation(image: Image.Image) -> int:
    """As far as the header tells it: of a PNG, Pillow decodes all the pixels to look for it behind them."""
    return 1 if image.format == "PNG" and "exif" not in image.info else _orientation(image)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a broken EXIF block is no reason to lose the photo
        return 1


def _resizable(image: Image.Image) -> Image.Image:
    """The same photo in a mode that Pillow can average: no palette, no bits, 8 bits a channel."""
    if image.mode.startswith("I"):
        # Pillow clips 16-bit grey at 255; it is the high byte that is the picture.
        return Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8))
    if "transparency" in image.info or image.mode == "PA":
        return image.convert("RGBA")
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
        return image
    return image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode not in ("LA", "RGBA"):
        return image.convert("RGB")
    photo = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", photo.size, "white"), photo).convert("RGB")
