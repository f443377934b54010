"""Another version of the bundle is put in use while people search and listings are written: nothing is seen of it but
the new version."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from eval.benchmarks.versions import versions_in, write_next
from index.promote import promote, roll_back
from relevance.engine import Engine
from tests.service_process import Service, serving

TOKEN = {"Authorization": "Bearer sesame"}
SEARCHERS = 3


def test_a_swap_under_load_drops_nothing_and_mixes_nothing(tiny_bundle: Path, tmp_path: Path) -> None:
    at, live, following = tmp_path / "serving", tmp_path / "live", tmp_path / "next"
    fingerprint = write_next(tiny_bundle, following)
    promote(tiny_bundle, at, live)
    titles = [listing.title for listing in Engine(tiny_bundle).store.rows(range(20)).values()]
    options = ("--live", str(live), "--workers", "2")
    with serving(at, tmp_path / "log", *options, token="sesame") as service:
        load = Load(service, titles, fingerprint)
        with load.running():
            load.wait_for("first")
            promote(following, at, live)
            load.wait_for("next")
            roll_back(at)
            load.wait_for("first")
        assert load.statuses.keys() == {200}
        assert set(load.versions) == {("first",), ("next",)}
        assert load.written
        assert [service.get(f"/listings/{name}").status_code for name in load.written] == [200] * len(load.written)
    assert all("exception" not in line for line in service.log())


class Load:
    """What people ask and write, one after the other in each of a few threads; a request without an answer raises."""

    def __init__(self, service: Service, titles: list[str], fingerprint: str) -> None:
        self._service, self._titles, self._fingerprint = service, titles, fingerprint
        self._ended = threading.Event()
        self._answered = threading.Condition()
        self.statuses: Counter[int] = Counter()
        self.versions: list[tuple[str, ...]] = []
        self.written: list[str] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Searches and writes until the block ends."""
        with ThreadPoolExecutor(SEARCHERS + 1) as pool:
            running = [pool.submit(self._repeat, self._search) for _ in range(SEARCHERS)]
            running.append(pool.submit(self._repeat, self._write))
            try:
                yield
            finally:
                self._ended.set()
            for each in running:
                each.result()

    def wait_for(self, version: str) -> None:
        """Until a good many answers in a row are of that version alone."""
        with self._answered:
            enough = 10 * SEARCHERS
            seen = len(self.versions)
            assert self._answered.wait_for(
                lambda: len(self.versions) >= seen + enough and set(self.versions[-enough:]) == {(version,)}, timeout=60
            ), f"expected answers of the {version} version alone, found {Counter(self.versions[-enough:])}"

    def _repeat(self, ask: Callable[[httpx.Client, int], httpx.Response]) -> None:
        with httpx.Client(base_url=self._service.url, timeout=30, headers=TOKEN) as client:
            number = 0
            while not self._ended.is_set():
                answer = ask(client, number)
                number += 1
                with self._answered:
                    self.statuses[answer.status_code] += 1
                    self._answered.notify_all()

    def _search(self, client: httpx.Client, number: int) -> httpx.Response:
        answer = client.get("/search", params={"q": self._titles[number % len(self._titles)]})
        found: dict[str, Any] = answer.json()
        versions = versions_in(found, self._fingerprint, lambda listing_id: listing_id.startswith("live-"))
        with self._answered:
            self.versions.append(tuple(sorted(versions)))
        return answer

    def _write(self, client: httpx.Client, number: int) -> httpx.Response:
        listing = {"listing_id": f"live-{number}", "title": f"{self._titles[number % 20]} number {number}"}
        answer = client.post("/upsert", json={"listings": [listing]})
        if answer.json().get("accepted"):
            self.written.append(f"live-{number}")
        return answer
