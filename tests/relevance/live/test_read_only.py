"""Who only reads the live listings: sees what others write, writes nothing, waits for nobody."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

import relevance
from relevance import LiveEngine, NewListing
from relevance.errors import DataError
from relevance.live.encoder import Encoding
from relevance.live.listing import LiveListing
from relevance.live.store import LiveStore, Write
from tests.bundles import CHECKOUT
from tests.live_engines import WORD, eventually, ids_of

ENCODING = Encoding("c", "seller", np.zeros(2, np.float32), np.zeros(2, np.float32))


def _write(listing_id: str) -> Write:
    listing = LiveListing(listing_id, "title", "", None, None, None, None, None, None, "", {})
    return Write(listing, None, None, "models", ENCODING)


def _ids(store: LiveStore) -> list[str]:
    return [state.listing_id for state in store.since(0)]


def _read_by_nobody(folder: Path) -> list[str]:
    """What a process sees that may read what others own, and write none of it."""
    script = (
        "import os, sys; from pathlib import Path; from relevance.live.store import LiveStore; os.setuid(65534)\n"
        "store = LiveStore(Path(sys.argv[1]), read_only=True)\n"
        "print(*(state.listing_id for state in store.since(0)))"
    )
    command = [sys.executable, "-c", script, str(folder)]
    ran = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


def test_it_sees_what_another_writes(engine: LiveEngine, tiny_bundle: Path, tmp_path: Path) -> None:
    engine.upsert([NewListing("early", WORD)])
    with relevance.open(tiny_bundle, live=tmp_path / "live", read_only=True) as reader:
        assert ids_of(reader.lexical_search(WORD)) == ["early"]
        engine.upsert([NewListing("late", WORD)])
        engine.delete(["early"])
        eventually(lambda: ids_of(reader.lexical_search(WORD)) == ["late"])
        assert reader.versions == engine.versions


def test_nothing_can_be_written(engine: LiveEngine, tiny_bundle: Path, tmp_path: Path) -> None:
    engine.upsert([NewListing("there", WORD)])
    with relevance.open(tiny_bundle, live=tmp_path / "live", read_only=True) as reader:
        for write in (lambda: reader.upsert([NewListing("a", WORD)]), lambda: reader.delete(["there"])):
            with pytest.raises(DataError, match="opened to be read only"):
                write()
    assert ids_of(engine.lexical_search(WORD)) == ["there"]


def test_what_is_not_there_is_told_and_not_made(tiny_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none: no live listings there \(no live\.sqlite\)"):
        relevance.open(tiny_bundle, live=tmp_path / "none", read_only=True)
    assert not (tmp_path / "none").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: no live listings there"):
        LiveStore(tmp_path / "empty", read_only=True)
    assert list((tmp_path / "empty").iterdir()) == []
    (tmp_path / "empty" / "live.sqlite").touch()
    with pytest.raises(DataError, match="no such table"):
        LiveStore(tmp_path / "empty", read_only=True)
    assert (tmp_path / "empty" / "live.sqlite").read_bytes() == b""


def test_it_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    store = LiveStore(tmp_path)
    store.upsert([_write("a")])
    with store._transaction() as connection:
        store._put(connection, _write("b"))
        reader = LiveStore(tmp_path, read_only=True)
        assert (_ids(reader), reader.id) == (["a"], store.id)
    assert _ids(reader) == ["a", "b"]


def test_it_leaves_no_files_behind(tmp_path: Path) -> None:
    store = LiveStore(tmp_path / "what? 100%#")
    store.upsert([_write("a")])
    store.close()
    before = store.path.read_bytes()
    reader = LiveStore(tmp_path / "what? 100%#", read_only=True)
    assert _ids(reader) == ["a"]
    reader.close()
    assert [path.name for path in store.path.parent.iterdir()] == ["live.sqlite"]
    assert store.path.read_bytes() == before


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_the_right_to_read_is_enough_while_a_service_has_it_open() -> None:
    with tempfile.TemporaryDirectory() as name:  # those of pytest are nobody else's to enter
        Path(name).chmod(0o755)
        store = LiveStore(Path(name) / "live")
        store.upsert([_write("a")])
        assert _read_by_nobody(store.path.parent) == ["a"]
        store.upsert([_write("b")])
        assert _read_by_nobody(store.path.parent) == ["a", "b"]
        store.close()
