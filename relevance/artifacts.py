"""Artifact folders: written whole or not at all, and described by a manifest that is checked on reading."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from relevance.errors import ArtifactError, listed

MANIFEST = "manifest.json"
# In every folder that `writing` made: of which kind it is, and what it was written with. Only such a folder is ever
# replaced, so that `--out ~/photos` is refused instead of deleted. That of earlier releases is empty.
MARKER = ".artifact"
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def writing(path: Path, kind: str, own: Collection[str] | None = None) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; it becomes `path` when the block ends without an error.

    A reader of `path` sees the old folder or the new one, never a mixture. After an error the temporary
    folder is removed and `path` is as it was. Raises ArtifactError, before and after the block, where
    `refuse_foreign` does.
    """
    path = Path(path)
    refuse_foreign(path, kind, own)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
    try:
        temporary.chmod(0o755)
        yield temporary
        mark = {"kind": kind, "holds": sorted(_names(temporary))}
        write_text_atomic(temporary / MARKER, json.dumps(mark) + "\n")  # it may be a link to that of another folder
        refuse_foreign(path, kind, own)
        _put(temporary, path)
    finally:
        # On success this is the folder that was replaced, or nothing.
        shutil.rmtree(temporary, ignore_errors=True)


def refuse_foreign(path: Path, kind: str, own: Collection[str] | None = None) -> None:
    """Raises ArtifactError where `writing` would not replace `path`: to know it before hours of work. That is a file, a
    folder that `writing` did not make or made as another `kind`, and one that holds other names than it was written
    with, or than `own` where these are given: what somebody has put there since is not deleted."""
    if not path.exists():
        return
    if not path.is_dir():
        raise ArtifactError(f"{path}: expected a folder to write, found a file; choose another --out")
    if not any(path.iterdir()):
        return
    if not (path / MARKER).exists():
        raise ArtifactError(
            f"{path}: holds files that this program did not write, so it is not replaced; "
            "choose another --out or remove it first"
        )
    found, holds = _written(path)
    if found not in (kind, None):
        raise ArtifactError(
            f"{path}: expected an artifact of kind {kind!r} to replace, or nothing, found {found!r}; "
            "choose another --out or remove it first"
        )
    known = holds if own is None else own
    if other := [] if known is None else sorted(_names(path).difference(known)):
        raise ArtifactError(
            f"{path}: holds {listed(other)}, which this command did not write and would delete; "
            "move them away or choose another --out"
        )


def _written(path: Path) -> tuple[str | None, Collection[str] | None]:
    """Of which kind a folder is, and the names that it was written with; None for what is not known of a folder that an
    earlier release wrote."""
    text = (path / MARKER).read_text(encoding="utf-8")
    if text.strip():
        mark = json.loads(text)
        return mark["kind"], mark["holds"]
    if (path / MANIFEST).is_file():
        manifest = _load_manifest(path)
        return manifest.get("kind"), {MANIFEST, *(name.partition("/")[0] for name in manifest["files"])}
    return ("dataset" if (path / "categories.csv").is_file() else None), None


def _names(path: Path) -> set[str]:
    return {entry.name for entry in path.iterdir()} - {MARKER}


def _put(new: Path, path: Path) -> None:
    """Move folder `new` to `path`; where `path` exists, the two change places."""
    if not path.exists() or not any(path.iterdir()):
        os.replace(new, path)
    elif not _exchange(new, path):
        # Without renameat2 (not Linux, or an old file system) there is a moment in which `path` is missing.
        old = new.with_suffix(".old")
        os.rename(path, old)
        os.rename(new, path)
        shutil.rmtree(old)


def _exchange(a: Path, b: Path) -> bool:
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    if renameat2 is None:
        return False
    status: int = renameat2(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE)
    return status == 0


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """A hard link where the file system can: files of an artifact are never written again, so that several may share
    one. The folder of `target` is made."""
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


@contextmanager
def writing_file(path: Path) -> Iterator[Path]:
    """Yield a temporary file name beside `path`, moved onto `path` when the block ends without an error; where `path`
    is a link, onto what it leads to. Raises ArtifactError where that is a folder, or a device or a pipe, which would be
    gone then."""
    path = Path(path)
    if path.exists() and not path.is_file():
        raise ArtifactError(f"{path}: expected a file to write, found {'a folder' if path.is_dir() else 'none'}")
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        temporary.chmod(0o644)
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text_atomic(path: Path, text: str) -> None:
    """Write `text` as UTF-8; a reader sees the old file or the new one."""
    with writing_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, kind: str, version: int, **fields: Any) -> None:
    """Write `folder/manifest.json` with the SHA-256 of every file that lies in the folder now.

    `fields` are added as they are (JSON values). Call it last: a file written later is not in the manifest.
    """
    reserved = {"created_at", "files"} & fields.keys()
    if reserved:
        raise ArtifactError(f"{folder}: the manifest sets {sorted(reserved)} itself")
    names = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    files = {name: file_sha256(folder / name) for name in sorted(names) if name not in (MANIFEST, MARKER)}
    manifest = {
        "kind": kind,
        "version": version,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **fields,
        "files": files,
    }
    write_text_atomic(folder / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_manifest(folder: Path, kind: str, version: int, verify: bool = True) -> dict[str, Any]:
    """Read and check `folder/manifest.json`.

    Raises ArtifactError when the folder or the manifest is missing or malformed, when it describes another
    kind or version, and, with `verify`, when a file it lists is missing or its SHA-256 differs.
    """
    folder = Path(folder)
    manifest = _load_manifest(folder)
    if manifest.get("kind") != kind:
        raise ArtifactError(f"{folder}: expected an artifact of kind {kind!r}, found {manifest.get('kind')!r}")
    if manifest.get("version") != version:
        raise ArtifactError(
            f"{folder}: expected {kind} format version {version}, found {manifest.get('version')!r}; "
            "build it again with this release"
        )
    if verify:
        _verify(folder, manifest)
    return manifest


def _load_manifest(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise ArtifactError(f"{folder}: no such folder")
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArtifactError(f"{folder}: has no {MANIFEST}, so it is not a finished artifact") from None
    except ValueError as error:
        raise ArtifactError(f"{folder / MANIFEST}: not valid JSON: {error}") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise ArtifactError(f"{folder / MANIFEST}: expected a JSON object with an object 'files'")
    return manifest


def _verify(folder: Path, manifest: dict[str, Any]) -> None:
    for name, digest in manifest["files"].items():
        try:
            found = file_sha256(folder / name)
        except (OSError, ValueError) as error:  # a name that the system cannot have is one of no file, too
            reason = "missing" if isinstance(error, FileNotFoundError) else f"not readable ({error})"
            raise ArtifactError(f"{folder}: {name} is {reason}; the manifest lists it") from None
        if found != digest:
            raise ArtifactError(
                f"{folder}: {name} was altered: its SHA-256 is {found[:12]}…, the manifest says {str(digest)[:12]}…"
            )
