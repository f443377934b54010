"""Decoded photos, cached or streamed."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.classifier import photos as module
from training.classifier.photos import CachedPhotos, StreamedPhotos, open_photos, photo_shape

LISTINGS = [("images/0.png",), ("images/absent.png", "images/1.png"), ("images/absent.png",), ("images/2.png",)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for i in range(3):
        Image.new("RGB", (9, 12), (i, i, i)).save(tmp_path / "images" / f"{i}.png")
    return tmp_path


@pytest.mark.parametrize("cached", [True, False])
def test_the_first_usable_photo_of_each_listing(root: Path, cached: bool) -> None:
    photos = open_photos(root, LISTINGS, (4, 3), root / "cache" if cached else None, threads=2)
    assert isinstance(photos, CachedPhotos if cached else StreamedPhotos)
    assert photos.usable.tolist() == [True, True, False, True]
    assert photos.bad == [(1, "images/absent.png", "missing"), (2, "images/absent.png", "missing")]
    taken = photos.take(np.array([3, 0, 1]))
    assert taken.shape == (3, 4, 3, 3)
    assert taken[:, 0, 0, 0].tolist() == [2, 0, 1]


@pytest.mark.parametrize("cached", [True, False])
def test_a_photo_outside_the_dataset_is_not_read(
    root: Path, tmp_path_factory: pytest.TempPathFactory, cached: bool
) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.png"
    Image.new("RGB", (9, 12)).save(secret)
    (root / "images" / "link.png").symlink_to(secret)
    photos = open_photos(root, [("images/link.png",)], (4, 3), root / "cache" if cached else None, threads=1)
    assert photos.usable.tolist() == [False]
    assert photos.bad == [(0, "images/link.png", "outside the dataset")]


def test_decoded_photos_are_used_again_until_a_file_changes(root: Path) -> None:
    def first_pixel() -> int:
        return int(open_photos(root, LISTINGS, (4, 3), root / "cache", threads=2).take(np.array([0]))[0, 0, 0, 0])

    assert first_pixel() == 0
    made = {path: path.stat().st_mtime_ns for path in (root / "cache").rglob("*")}
    assert first_pixel() == 0
    assert {path: path.stat().st_mtime_ns for path in (root / "cache").rglob("*")} == made
    Image.new("RGB", (10, 10), (9, 9, 9)).save(root / "images" / "0.png")
    assert first_pixel() == 9


def test_an_interrupted_cache_is_finished(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shards that were whole are not decoded again; the result is that of one go."""
    monkeypatch.setattr(module, "SHARD", 2)
    whole = open_photos(root, LISTINGS, (4, 3), root / "whole", threads=1)
    open_photos(root, LISTINGS, (4, 3), root / "cache", threads=1)
    (folder,) = (root / "cache").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["000000.csv", "000000.npy", "000001.csv", "000001.npy"]
    (folder / "000001.csv").unlink()
    (folder / "000001.npy").write_bytes(b"half a fi")
    kept = (folder / "000000.npy").stat().st_mtime_ns
    again = open_photos(root, LISTINGS, (4, 3), root / "cache", threads=1)
    assert (folder / "000000.npy").stat().st_mtime_ns == kept
    assert (again.usable == whole.usable).all()
    assert again.bad == whole.bad
    np.testing.assert_array_equal(again.take(np.array([3, 1])), whole.take(np.array([3, 1])))


def test_without_room_on_the_disk_photos_are_streamed(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "_SPARE", 1e15)
    assert isinstance(open_photos(root, LISTINGS, (4, 3), root / "cache", threads=1), StreamedPhotos)
    assert "no room" in capsys.readouterr().out


def test_a_streamed_photo_that_breaks_is_grey(root: Path) -> None:
    photos = open_photos(root, LISTINGS, (4, 3), None, threads=1)
    (root / "images" / "2.png").write_bytes(b"gone bad")
    assert (photos.take(np.array([3])) == 128).all()


@pytest.mark.parametrize(
    ("size", "shape"), [((60, 80), (128, 96)), ((80, 60), (96, 128)), ((50, 50), (96, 96)), ((10, 400), (160, 64))]
)
def test_the_shape_follows_the_photos(tmp_path: Path, size: tuple[int, int], shape: tuple[int, int]) -> None:
    Image.new("RGB", size).save(tmp_path / "photo.png")
    assert photo_shape(tmp_path, [("photo.png",), ("absent.png",)], 105) == shape
    assert photo_shape(tmp_path, [("absent.png",)], 105) == (96, 96)
