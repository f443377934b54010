"""How every command line of the project ends: well, or with one line that says what to mend."""

import signal
import sys
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

import typer

from relevance.errors import DataWarning, RelevanceError


def run(app: typer.Typer, name: str) -> None:
    """Runs a command line as `name`: what a user can mend, and a file that the system refuses, is one line on stderr
    and exit code 2; what one should know is a note there; Ctrl-C gives 130 and SIGTERM 143, and neither leaves anything
    half-written behind."""
    signal.signal(signal.SIGTERM, _terminated)
    warnings.showwarning = _noted(warnings.showwarning)
    try:
        app(prog_name=name)
    except RelevanceError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


def _terminated(*_: object) -> None:
    sys.exit(128 + signal.SIGTERM)


def _noted(shown: Callable[..., None]) -> Callable[..., None]:
    """`warnings.showwarning`, but for what a user should know: that is told without the place in the code."""

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, DataWarning):
            print(f"note: {message}", file=sys.stderr)
        else:
            shown(message, category, *place, **more)

    return show
