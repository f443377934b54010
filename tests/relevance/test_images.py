"""Photos: whatever the bytes are, an upright array of the wanted size or a reason."""

import contextlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

import relevance.images as images
from relevance.images import FORMATS, PhotoError, Size, load_first, load_many, load_photo, photo_size
from tests.photos import CORNERS, PNG, chunk, encoded, quadrants, turned

SIGNATURES = [b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x10\0\0\0WEBP", b"BM"]


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


@pytest.mark.parametrize("share", [0.001, 0.003, 0.01, 0.3, 0.5, 0.9])
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
    photo = turned(quadrants(), orientation, quality=95)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(photo))).resize((16, 16)))
    assert np.abs(load_photo(photo, (16, 16)).astype(int) - upright)[CORNER_ROWS, CORNER_COLUMNS].max() < 30


CORNER_ROWS, CORNER_COLUMNS = [2, 2, 13, 13], [2, 13, 2, 13]


def corners_of(array: np.ndarray) -> list[int]:
    """Which colour of `CORNERS` is nearest at the four corners."""
    height, width = array.shape[:2]
    at = array[[1, 1, height - 2, height - 2], [1, width - 2, 1, width - 2]].astype(int)
    return [int(np.abs(np.array(CORNERS) - corner).sum(axis=1).argmin()) for corner in at]


SEEN = {1: [0, 1, 2, 3], 2: [1, 0, 3, 2], 3: [3, 2, 1, 0], 4: [2, 3, 0, 1]}
SEEN |= {5: [0, 2, 1, 3], 6: [2, 0, 3, 1], 7: [3, 1, 2, 0], 8: [1, 3, 0, 2]}
"""EXIF orientation -> what of the stored corners is seen top left, top right, bottom left, bottom right (from the
definition of the tag: which side of the picture the stored first row and first column are)."""


@pytest.mark.parametrize("size", [(64, 48), (48, 64), (20, 60)])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_sideways_photos_stand_upright_in_any_shape(orientation: int, size: Size) -> None:
    height, width = size if orientation < 5 else size[::-1]
    photo = turned(quadrants(10 * width, 10 * height), orientation, quality=95)
    array = load_photo(photo, size)
    assert array.shape == (*size, 3)
    assert corners_of(array) == SEEN[orientation]
    middle = array[size[0] // 2 - 2 : size[0] // 2 + 2]
    assert len({tuple(pixel) for pixel in middle[:, size[1] // 2 - 2 : size[1] // 2 + 2].reshape(-1, 3)}) > 1


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_other_formats_are_turned_too(form: str) -> None:
    assert corners_of(load_photo(turned(quadrants(480, 640), 6, form), (48, 64))) == SEEN[6]


def test_a_png_may_tell_behind_its_pixels_how_it_lies() -> None:
    photo = turned(quadrants(480, 640), 6, "PNG")
    at = photo.index(b"eXIf") - 4
    after = at + 12 + int.from_bytes(photo[at : at + 4], "big")
    end = photo.index(b"IEND") - 4
    moved = photo[:at] + photo[after:end] + photo[at:after] + photo[end:]
    assert corners_of(load_photo(moved, (48, 64))) == SEEN[6]


def test_orientation_6_turns_clockwise() -> None:
    array = load_photo(turned(quadrants(), 6), (16, 16))
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


@pytest.mark.parametrize(("size", "kept"), [((32, 48), (60, 90)), ((48, 32), (90, 60)), ((30, 10), (90, 30))])
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_the_largest_centred_part_of_the_wanted_shape_is_kept(size: Size, kept: Size, form: str) -> None:
    """A 90 x 90 photo: blue, and red where the wanted shape lies in it."""
    pixels = np.zeros((90, 90, 3), np.uint8)
    pixels[..., 2] = 255
    top, left = (90 - kept[0]) // 2, (90 - kept[1]) // 2
    pixels[top : top + kept[0], left : left + kept[1]] = (255, 0, 0)
    array = load_photo(encoded(Image.fromarray(pixels), form), size)
    assert array.shape == (*size, 3)
    assert (array[2:-2, 2:-2].argmax(axis=2) == 0).all()


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_photo_size_is_width_and_height_as_looked_at(orientation: int, tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(turned(quadrants(60, 20), orientation))
    assert photo_size(tmp_path / "photo") == ((60, 20) if orientation in (1, 3) else (20, 60))


def test_photo_size_needs_only_the_header_and_refuses_what_has_none(tmp_path: Path) -> None:
    photo = tmp_path / "photo"
    photo.write_bytes(encoded(quadrants(300, 200), "JPEG")[:1000])
    assert photo_size(photo) == (300, 200)
    photo.write_bytes(b"text")
    with pytest.raises(PhotoError, match="not an image"):
        photo_size(photo)
    with pytest.raises(PhotoError, match="missing"):
        photo_size(tmp_path / "absent")
    photo.write_bytes(b"")
    with pytest.raises(PhotoError, match="empty"):
        photo_size(photo)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "AVIF"])
def test_the_first_frame_of_an_animation_is_seen(form: str) -> None:
    frames = [Image.new("RGB", (24, 16), colour) for colour in ("red", "lime", "blue")]
    animated = encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=100)
    assert getattr(Image.open(io.BytesIO(animated)), "n_frames", 1) == 3
    assert np.abs(load_photo(animated, (6, 8)).astype(int) - (255, 0, 0)).max() < 16


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_one_pixel_is_a_photo(form: str) -> None:
    array = load_photo(encoded(Image.new("RGB", (1, 1), (200, 200, 200)), form), (12, 8))
    assert array.shape == (12, 8, 3)
    assert np.abs(array.astype(int) - 200).max() < 8


@pytest.mark.parametrize("size", [(1, 400), (400, 1)])
def test_a_line_is_a_photo(size: tuple[int, int]) -> None:
    assert (load_photo(encoded(Image.new("RGB", size, (9, 99, 199))), (12, 8)) == (9, 99, 199)).all()


def test_the_name_of_a_file_says_nothing_of_its_content(tmp_path: Path) -> None:
    for form, photo in VALID.items():
        (tmp_path / f"{form}.jpg").write_bytes(photo)
        assert corners_of(load_photo(tmp_path / f"{form}.jpg", (16, 16))) == [0, 1, 2, 3], form
    (tmp_path / "text.jpg").write_text("a photo of a chair")
    assert reason(tmp_path / "text.jpg") == "not an image"
    (tmp_path / "drawing.jpg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert reason(tmp_path / "drawing.jpg") == "not an image"
    (tmp_path / "scan.jpg").write_bytes(encoded(quadrants(), "TIFF"))
    assert reason(tmp_path / "scan.jpg") == "unsupported format"
    assert reason(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic") == "unsupported format"


@pytest.mark.parametrize("form", ["PNG", "GIF", "WEBP", "BMP"])
def test_every_format_cut_short_is_refused(form: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8))
    photo = encoded(noise, form)
    for share in (0.1, 0.5, 0.9):
        assert reason(photo[: int(share * len(photo))]) in ("truncated", "damaged")


def test_sixteen_bit_colour() -> None:
    rows = b"".join(b"\0" + b"\xff\x80\x40\x00\x10\xff" * 8 for _ in range(6))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 6, 16, 2, 0, 0, 0))
    deep = PNG + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert (load_photo(deep, (6, 8)) == (0xFF, 0x40, 0x10)).all()


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
