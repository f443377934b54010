"""Photos: whatever the bytes are, a square array or a reason."""

import contextlib
import io
import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

import relevance.images as images
from relevance.images import FORMATS, PhotoError, load_first, load_many, load_photo

SIGNATURES = [b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x10\0\0\0WEBP", b"BM"]


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def quadrants(width: int = 40, height: int = 40) -> Image.Image:
    """Red, green / blue, white: no two orientations look alike."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    pixels[height // 2 :, width // 2 :] = (255, 255, 255)
    return Image.fromarray(pixels)


Image.init()
VALID = {form: encoded(quadrants(), form) for form in FORMATS if form in Image.SAVE}


def reason(source: Path | bytes) -> str:
    with pytest.raises(PhotoError) as caught:
        load_photo(source, (16, 16))
    assert str(caught.value) == caught.value.reason
    return caught.value.reason


@given(st.sampled_from(SIGNATURES), st.binary(max_size=300))
def test_garbage_is_refused(signature: bytes, rest: bytes) -> None:
    with contextlib.suppress(PhotoError):
        assert load_photo(signature + rest, (16, 16)).shape == (16, 16, 3)


@given(st.sampled_from(sorted(VALID)), st.data())
def test_damaged_photos_give_an_array_or_a_reason(form: str, data: st.DataObject) -> None:
    photo = bytearray(VALID[form])
    for _ in range(data.draw(st.integers(1, 5))):
        photo[data.draw(st.integers(0, len(photo) - 1))] = data.draw(st.integers(0, 255))
    photo = photo[: data.draw(st.integers(0, len(photo)))]
    try:
        array = load_photo(bytes(photo), (16, 16))
    except PhotoError:
        return
    assert array.shape == (16, 16, 3)
    assert array.dtype == np.uint8


@pytest.mark.parametrize("form", sorted(VALID))
def test_every_format_keeps_the_picture(form: str) -> None:
    array = load_photo(VALID[form], (16, 16)).astype(int)
    corners = array[2, 2], array[2, 13], array[13, 2], array[13, 13]
    for corner, colour in zip(corners, [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)], strict=True):
        assert np.abs(corner - colour).max() < 40, (form, corner, colour)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_truncated_jpeg(share: float, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    photo = encoded(Image.fromarray(noise), "JPEG")
    path = tmp_path / "cut.jpg"
    path.write_bytes(photo[: int(share * len(photo))])
    assert reason(path) == "truncated"


def test_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reason(b"") == "empty"
    assert reason(b"<html>404</html>") == "not an image"
    assert reason(tmp_path / "absent.jpg") == "missing"
    assert reason(tmp_path) == "unreadable"
    assert reason(Path("nul\0byte.jpg")) == "unreadable"
    large = tmp_path / "large.png"
    large.write_bytes(VALID["PNG"])
    monkeypatch.setattr(images, "MAX_BYTES", 100)
    assert reason(large) == "too large"
    assert reason(VALID["PNG"]) == "too large"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [8_000, 12_000, 60_000])
def test_decompression_bomb_is_not_decoded(side: int) -> None:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    bomb = SIGNATURES[2] + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b"")
    assert reason(bomb) == "too large"


def test_large_jpeg_is_decoded_small(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = encoded(quadrants(6000, 4000), "JPEG")
    decoded: list[tuple[int, int]] = []
    resize = Image.Image.resize

    def spy(image: Image.Image, *args: object, **kwargs: object) -> Image.Image:
        decoded.append(image.size)
        return resize(image, *args, **kwargs)

    monkeypatch.setattr(Image.Image, "resize", spy)
    assert load_photo(photo, (64, 64))[5, 5].argmax() == 0
    assert decoded[0] == (750, 500)  # an eighth


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_agrees_with_pillow(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = encoded(quadrants(), "JPEG", exif=exif, quality=95)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(photo))).resize((16, 16))
    assert (
        np.abs(load_photo(photo, (16, 16)).astype(int) - np.asarray(upright).astype(int))[
            [2, 2, 13, 13], [2, 13, 2, 13]
        ].max()
        < 30
    )


def test_orientation_6_turns_clockwise() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    array = load_photo(encoded(quadrants(), "JPEG", exif=exif), (16, 16))
    assert array[2, 13].argmax() == 0  # red, stored top left, is seen top right


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_is_ignored() -> None:
    assert load_photo(encoded(quadrants(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"), (16, 16)).shape == (
        16,
        16,
        3,
    )


@pytest.mark.parametrize("size", [(90, 30), (30, 90)])
def test_centre_is_kept_unstretched(size: tuple[int, int]) -> None:
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[..., 2] = 255
    top, left = (size[1] - 30) // 2, (size[0] - 30) // 2
    pixels[top : top + 30, left : left + 30] = (255, 0, 0)
    assert (load_photo(encoded(Image.fromarray(pixels)), (15, 15))[1:-1, 1:-1] == (255, 0, 0)).all()


def test_transparent_becomes_white() -> None:
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert (load_photo(encoded(clear), (4, 4)) == 255).all()
    assert (load_photo(encoded(clear.convert("LA")), (4, 4)) == 255).all()
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 0, 200, 0])
    assert (load_photo(encoded(palette, transparency=1), (4, 4)) == 255).all()
    assert (load_photo(encoded(palette), (4, 4)) == (0, 200, 0)).all()


def test_grey_of_any_depth() -> None:
    levels = np.linspace(0, 65535, 32 * 32).reshape(32, 32).astype(np.uint16)
    deep = load_photo(encoded(Image.fromarray(levels)), (32, 32))
    assert np.abs(deep[..., 0].astype(int) - levels // 256).max() <= 1
    assert (load_photo(encoded(Image.new("1", (8, 8), 1)), (4, 4)) == 255).all()
    assert (load_photo(encoded(Image.new("L", (8, 8), 77)), (4, 4)) == 77).all()


def test_cmyk() -> None:
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    assert np.abs(load_photo(encoded(cyan, "JPEG"), (4, 4)).astype(int) - (0, 255, 255)).max() < 10


def test_load_first_passes_over_bad_photos(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "good.png").write_bytes(VALID["PNG"])
    paths = [tmp_path / name for name in ("empty.jpg", "absent.jpg", "good.png", "never.jpg")]
    found = load_first(paths, (16, 16))
    assert found.photo is not None
    assert [(path.name, why) for path, why in found.bad] == [("empty.jpg", "empty"), ("absent.jpg", "missing")]
    assert load_first([], (16, 16)).photo is None


def test_load_many_keeps_the_order_and_little_ahead(tmp_path: Path) -> None:
    for level in range(200):
        Image.new("L", (8, 8), level).save(tmp_path / f"{level}.png")
    asked: list[int] = []

    def listings():  # type: ignore[no-untyped-def]
        for level in range(200):
            asked.append(level)
            yield [tmp_path / f"{level}.png"] if level != 7 else []

    loaded = load_many(listings(), (4, 4), threads=2)
    first = next(loaded)
    assert len(asked) <= 128
    photos = [first, *loaded]
    assert [None if p.photo is None else int(p.photo[0, 0, 0]) for p in photos] == [*range(7), None, *range(8, 200)]


def test_load_many_leaves_no_thread_behind(tmp_path: Path) -> None:
    loaded = load_many([[tmp_path / "absent.jpg"]] * 500, (4, 4), threads=3)
    next(loaded)
    loaded.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("photos")]
