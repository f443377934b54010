"""Milliseconds by stage."""

from time import perf_counter


class Timings:
    """Marks the end of each stage of one piece of work."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}
        self._last = perf_counter()

    def mark(self, stage: str) -> None:
        """Books the time since the last mark under `stage`."""
        now = perf_counter()
        self.milliseconds[stage] = round((now - self._last) * 1000, 4)
        self._last = now
