"""How a command line ends where the system refuses a file."""

import errno
from pathlib import Path

import pytest
import typer

from relevance.entry import run


def ended(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    app = typer.Typer()

    @app.command()
    def command() -> None:
        raise error

    monkeypatch.setattr("sys.argv", ["x"])
    with pytest.raises(SystemExit) as done:
        run(app, "x")
    return int(done.value.code or 0)


def test_what_the_system_refuses_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(IsADirectoryError) as found:
        tmp_path.write_text("x")
    assert ended(found.value, monkeypatch) == 2
    assert capsys.readouterr().err == f"error: {tmp_path}: Is a directory\n"
    assert ended(OSError(errno.ENOSPC, "No space left on device"), monkeypatch) == 2
    assert capsys.readouterr().err == "error: [Errno 28] No space left on device\n"


def test_a_mistake_of_the_program_still_tells_where(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        ended(ZeroDivisionError("here"), monkeypatch)
