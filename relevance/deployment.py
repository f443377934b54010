"""Which bundle is in use: a folder whose link `current` is replaced atomically, and followed by who answers."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from relevance.artifacts import MANIFEST
from relevance.errors import ArtifactError, BundleError

CURRENT, PREVIOUS = "current", "previous"
BUNDLES = "bundles"


def bundle_at(root: Path) -> Path:
    """Returns the bundle in use, where `root` is a deployment's folder; else `root` itself."""
    try:
        return root / os.readlink(root / CURRENT)
    except OSError:
        return root


@dataclass(frozen=True)
class Deployment:
    """`root/current` and `root/previous` are links to folders in `root/bundles`."""

    root: Path

    @property
    def current(self) -> Path | None:
        """The bundle in use, None where none was promoted yet."""
        return self._target(CURRENT)

    @property
    def previous(self) -> Path | None:
        """The bundle that `rollback` goes back to."""
        return self._target(PREVIOUS)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Held while bundles are put in or switched; ArtifactError where another process does that now, or the folder
        cannot be made."""
        with self._lock_file() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ArtifactError(f"{self.root}: another process is promoting or compacting; try again") from None
            yield

    @contextmanager
    def opening(self) -> Iterator[bool]:
        """Yields whether it is this process's turn to open what was put in use: of those that answer from it on one
        machine never more than one is busy with that. The turn ends with the block."""
        folder = os.open(self.root, os.O_RDONLY)  # no file to write: the folder may belong to somebody else
        try:
            yield _locked(folder)
        finally:
            os.close(folder)

    def place(self, name: str) -> Path:
        """Returns a folder for a bundle, which is not there yet."""
        bundles = self.root / BUNDLES
        names = (name if number == 1 else f"{name}-{number}" for number in range(1, 10_000))
        return next(bundles / free for free in names if not (bundles / free).exists())

    def switch(self, bundle: Path, keep_previous: bool = False) -> None:
        """Puts a folder of `root/bundles` in use, atomically; what was in use becomes `previous`, unless that is kept.
        Bundles that are neither, nor the one just left, are removed, and what was left of writing one."""
        left = self.current
        if left is not None and left != bundle and not keep_previous:
            self._link(PREVIOUS, left)
        self._link(CURRENT, bundle)
        kept = {path and path.name for path in (bundle, left, self.previous)}
        for path in (self.root / BUNDLES).iterdir():
            if path.name not in kept and ((path / MANIFEST).is_file() or path.name.startswith(".")):
                shutil.rmtree(path, ignore_errors=True)

    def rollback(self) -> Path:
        """Puts the previous bundle in use again and returns it; what was in use becomes the previous one."""
        previous = self.to_go_back_to()
        self.switch(previous)
        return previous

    def to_go_back_to(self) -> Path:
        """Returns the previous bundle; raises BundleError where there is none."""
        previous = self.previous
        if previous is None or not previous.is_dir():
            raise BundleError(f"{self.root}: there is no previous bundle to go back to")
        return previous

    def _lock_file(self) -> TextIO:
        try:
            (self.root / BUNDLES).mkdir(parents=True, exist_ok=True)
            return open(self.root / ".lock", "w", encoding="utf-8")
        except OSError as error:
            reason = f"expected a folder for bundles, or one to make: {error.strerror}"
            raise ArtifactError(f"{self.root}: {reason}") from None

    def _target(self, name: str) -> Path | None:
        try:
            return self.root / os.readlink(self.root / name)
        except OSError:
            return None

    def _link(self, name: str, bundle: Path) -> None:
        temporary = self.root / f".{name}.{os.getpid()}"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(bundle.relative_to(self.root), target_is_directory=True)
        os.replace(temporary, self.root / name)


def _locked(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without such locks: all open at once
        pass
    return True
