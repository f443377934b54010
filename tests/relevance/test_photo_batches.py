"""A catalogue's photos in batches: nothing lost, nothing out of order, nothing from outside."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relevance.photos.batches import files_fingerprint, map_batches, photo_batches

SIZE = (4, 6)


def write(path: Path, level: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (12, 8), (level, level, level)).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for i in range(10):
        write(tmp_path / "dataset" / "images" / f"{i}.png", 20 * i)
    (tmp_path / "dataset" / "images" / "broken.png").write_bytes(b"no photo")
    write(tmp_path / "secret.png", 255)
    return tmp_path / "dataset"


def test_batches_hold_every_listing_once_in_order(root: Path) -> None:
    images = [(f"images/{i}.png",) for i in range(10)]
    images[2] = ()
    images[5] = ("images/broken.png", "images/absent.png")
    images[7] = ("images/broken.png", "images/7.png")
    batches = list(photo_batches(root, images, SIZE, threads=2, batch=3))
    assert [batch.rows.tolist() for batch in batches] == [[0, 1, 3], [4, 6, 7], [8, 9]]
    assert [batch.seen for batch in batches] == [4, 4, 2]
    assert all(batch.photos.shape == (len(batch.rows), *SIZE, 3) for batch in batches)
    assert [batch.photos[:, 0, 0, 0].tolist() for batch in batches] == [[0, 20, 60], [80, 120, 140], [160, 180]]
    assert [bad for batch in batches for bad in batch.bad] == [
        (5, "images/broken.png", "not an image"),
        (5, "images/absent.png", "missing"),
        (7, "images/broken.png", "not an image"),
    ]
    assert all(batch.seconds > 0 for batch in batches)


def test_listings_without_photos_are_seen_too(root: Path) -> None:
    (batch,) = photo_batches(root, [(), ("images/absent.png",)], SIZE, threads=1)
    assert (batch.seen, batch.rows.tolist(), batch.photos.shape) == (2, [], (0, *SIZE, 3))
    assert not list(photo_batches(root, [], SIZE, threads=1))


def test_links_out_of_the_dataset_are_not_followed(root: Path) -> None:
    (root / "images" / "link.png").symlink_to(root.parent / "secret.png")
    (root / "images" / "folder").symlink_to(root.parent)
    (root / "images" / "twin.png").symlink_to(root / "images" / "3.png")
    images = [("images/link.png", "images/1.png"), ("images/folder/secret.png",), ("images/twin.png",)]
    (batch,) = photo_batches(root, images, SIZE, threads=1)
    assert batch.bad == [
        (0, "images/link.png", "outside the dataset"),
        (1, "images/folder/secret.png", "outside the dataset"),
    ]
    assert batch.photos[:, 0, 0, 0].tolist() == [20, 60]


def test_the_images_folder_may_be_a_link(root: Path) -> None:
    store = root.rename(root.parent / "store")
    root.mkdir()
    (root / "images").symlink_to(store / "images")
    (batch,) = photo_batches(root, [("images/1.png",), ("images/a\0b.png",)], SIZE, threads=1)
    assert batch.rows.tolist() == [0]
    assert batch.bad == [(1, "images/a\0b.png", "unreadable")]


def test_the_model_runs_in_several_threads_and_answers_in_order(root: Path) -> None:
    both = threading.Barrier(2, timeout=10)  # broken unless two calls are at work at once

    def slow_first(photos: np.ndarray) -> int:
        both.wait()
        time.sleep(0.05 if photos[0, 0, 0, 0] == 0 else 0)
        return int(photos[0, 0, 0, 0])

    batches = photo_batches(root, [(f"images/{i}.png",) for i in range(4)], SIZE, threads=1, batch=1)
    results = list(map_batches(batches, slow_first, workers=2))
    assert [result for _, result, _ in results] == [0, 20, 40, 60]
    assert results[0][2] >= 0.05


def test_an_error_of_the_model_comes_through(root: Path) -> None:
    def fails(photos: np.ndarray) -> None:
        raise ValueError("no memory")

    with pytest.raises(ValueError, match="no memory"):
        list(map_batches(photo_batches(root, [("images/1.png",)], SIZE, 1), fails, 2))


def test_the_fingerprint_changes_with_the_photos(root: Path) -> None:
    images = [("images/1.png", "images/2.png"), ("images/absent.png",)]
    before = files_fingerprint(root, images)
    assert files_fingerprint(root, images) == before
    others = [files_fingerprint(root, [("images/1.png",), ("images/2.png", "images/absent.png")])]
    write(root / "images" / "absent.png", 3)
    others.append(files_fingerprint(root, images))
    (root / "images" / "1.png").unlink()
    others.append(files_fingerprint(root, images))
    assert len({before, *others}) == 4
