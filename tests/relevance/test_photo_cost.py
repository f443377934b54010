"""What one photo may cost: 200 MB at most, and no small file keeps a core busy. Measured in a process of its own."""

import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relevance.images import PhotoError, load_photo
from relevance.photos.cost import MAX_MEMORY, MAX_PIECES
from tests.photos import PNG, chunk, encoded, endless_jpeg, jpeg, png, segment

# Pillow warns of what is large, and refuses only what is twice as large.
pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")

MEASURE = """
import sys
from pathlib import Path
from relevance.images import PhotoError, load_photo

def memory(name):
    # Not getrusage: its peak is inherited from the process that started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

photo = Path(sys.argv[1])
load_photo(photo.with_name("small"), (64, 48))  # the decoder's own set-up is no cost of a photo
before = memory("VmRSS")
try:
    print(*load_photo(photo, (64, 48)).shape)
except PhotoError as error:
    print(error)
print(memory("VmHWM") - before)
"""
DONE = "64 48 3"


def ramp(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Bands of grey in a mode."""
    rows = np.broadcast_to((np.arange(width) // 16 % 256).astype(np.uint8), (height, width))
    image = Image.fromarray(rows).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.fromarray(rows))
    return image


def run_lengths(width: int, height: int) -> bytes:
    """A BMP of the 8-bit run lengths that Pillow writes none of: a pixel, and the rest of the row is left out."""
    rows = b"\1\1\0\0" * height
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(rows), 0, 0, 256, 0)
    colours = bytes(1024)
    start = 14 + len(header) + len(colours)
    return b"BM" + struct.pack("<III", start + len(rows), 0, start) + header + colours + rows


def deep(side: int) -> Image.Image:
    return Image.fromarray(np.broadcast_to(np.arange(side, dtype=np.uint16), (side, side)))


LARGEST = {
    "jpeg of 108 megapixels": (lambda: jpeg(12_000, 9_000), "small.jpg"),
    "jpeg in one pass for each colour": (lambda: jpeg(5_800, 5_700, ((1,), (2,), (3,))), "small.jpg"),
    "progressive jpeg": (lambda: encoded(ramp(5_800, 5_500), "JPEG", progressive=True, subsampling=0), "small.jpg"),
    "jpeg too flat to be shrunk": (lambda: jpeg(60_000, 170), "small.jpg"),
    "rgb png": (lambda: encoded(ramp(6_800, 6_000), compress_level=1), "small.png"),
    "rgb png with a transparent colour": (
        lambda: encoded(ramp(4_000, 4_000), compress_level=1, transparency=(0, 0, 0)),
        "small.png",
    ),
    "rgba png": (lambda: encoded(ramp(4_900, 4_700, "RGBA"), compress_level=1), "small.png"),
    "palette png with transparency": (
        lambda: encoded(ramp(3_900, 3_700, "P"), compress_level=1, transparency=3),
        "small.png",
    ),
    "16-bit png": (lambda: encoded(deep(4_500), compress_level=1), "small.png"),
    "gif": (lambda: encoded(ramp(5_800, 5_700, "P"), "GIF"), "small.png"),
    "webp": (lambda: encoded(ramp(4_032, 3_024, "RGBA"), "WEBP", method=0, quality=1), "small.webp"),
    "avif": (lambda: encoded(ramp(4_000, 3_000), "AVIF", speed=10, quality=50, subsampling="4:4:4"), "small.avif"),
}  # fmt: skip
"""Close to the largest of each kind that is decoded."""


def compressed_texts(count: int) -> bytes:
    text = zlib.compress("😀".encode() + b"a" * (2**20 - 100))
    return b"".join(chunk(b"iTXt", b"%d\0\1\0\0\0" % i + text) for i in range(count))


BOMBS = {
    "20,000 x 20,000 png": lambda: png(20_000, 20_000, pixels=bytes(20_000_000)),
    "64 megapixel png": lambda: png(8_000, 8_000, pixels=bytes(60_000_000)),
    "60,000 x 60,000 jpeg": lambda: jpeg(60_000, 600)[:-400_000].replace(b"\x02\x58\xea\x60", b"\xea\x60\xea\x60"),
    "progressive jpeg of 108 megapixels": lambda: endless_jpeg(12_000, 9_000, 1),
    "108 megapixels in one pass for each colour": lambda: jpeg(12_000, 9_000, ((1,), (2,), (3,))),
    "endless passes": lambda: endless_jpeg(4_000, 4_000, 2_000),
    "endless jpeg segments": lambda: jpeg(40, 30, before=segment(0xE5, b"ab") * 2_000_000),
    "endless bytes between segments": lambda: jpeg(40, 30, before=segment(0xE5, b"ab") + bytes(10_000_000)),
    "endless png chunks": lambda: png(40, 30, before=chunk(b"abcd", b"") * 1_000_000),
    "endless png texts": lambda: png(40, 30, before=compressed_texts(60)),
    "endless gif comment": lambda: b"GIF89a" + bytes([40, 0, 30, 0, 0, 0, 0]) + b"!\xfe" + b"\2ab" * 8_000_000,
    "bmp of run lengths": lambda: run_lengths(34_000_000, 1),
    "webp of 16 megapixels": lambda: encoded(ramp(4_000, 4_000, "L"), "WEBP", method=0, quality=1),
}  # fmt: skip


def measured(folder: Path, photo: bytes, small: str) -> tuple[str, int]:
    """What came of the photo, and the bytes that its decoding took."""
    form = {"small.jpg": "JPEG", "small.png": "PNG", "small.webp": "WEBP", "small.avif": "AVIF"}[small]
    (folder / "small").write_bytes(encoded(Image.new("RGB", (64, 64)), form))
    (folder / "photo").write_bytes(photo)
    command = [sys.executable, "-W", "ignore", "-c", MEASURE, str(folder / "photo")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    outcome, taken = ran.stdout.splitlines()
    return outcome, int(taken)


@pytest.mark.parametrize("kind", LARGEST)
def test_the_largest_photos_take_less_than_200_megabytes(kind: str, tmp_path: Path) -> None:
    make, small = LARGEST[kind]
    outcome, taken = measured(tmp_path, make(), small)
    assert outcome == DONE
    assert taken < MAX_MEMORY, f"{taken / 2**20:.0f} MB"


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_are_refused_before_they_go_off(kind: str, tmp_path: Path) -> None:
    photo = BOMBS[kind]()
    outcome, taken = measured(tmp_path, photo, "small.png")
    assert outcome == "too large"
    assert taken < len(photo) + 16 * 2**20, f"{taken / 2**20:.0f} MB"
    started = time.process_time()
    with pytest.raises(PhotoError, match="too large"):
        load_photo(photo, (64, 48))
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "photo",
    [
        jpeg(40, 30, before=segment(0xE5, b"ab") * 2_000),
        jpeg(40, 30, before=b"\xff\xff\xff" + segment(0xFE, b"\xff\xda comment") + b"junk"),
        jpeg(40, 30, ((1,), (2,), (3,))),
        run_lengths(40, 30),
        endless_jpeg(40, 30, 10),
        png(40, 30, before=chunk(b"abcd", b"") * 2_000, pixels=bytes(30 * 121)),
        png(40, 30, before=compressed_texts(3), pixels=bytes(30 * 121)),
    ],
    ids=["segments", "junk", "passes", "run lengths", "progressive", "chunks", "texts"],
)
def test_what_odd_cameras_write_is_read(photo: bytes) -> None:
    assert load_photo(photo, (6, 8)).shape == (6, 8, 3)


def test_a_jpeg_too_flat_to_be_shrunk_is_refused() -> None:
    flat = jpeg(65_000, 800)
    assert load_photo(flat, (64, 48)).shape == (64, 48, 3)  # an eighth of its height is enough
    with pytest.raises(PhotoError, match="too large"):
        load_photo(flat, (480, 480))


def test_as_many_pieces_as_allowed() -> None:
    pixels = bytes(30 * 121)
    header_and_end = 3
    fits = png(40, 30, chunk(b"abcd", b"") * (MAX_PIECES - header_and_end), pixels)
    assert load_photo(fits, (6, 8)).shape == (6, 8, 3)
    with pytest.raises(PhotoError, match="too large"):
        load_photo(fits.replace(PNG, PNG + chunk(b"abcd", b"")), (6, 8))
