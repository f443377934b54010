"""How every command line of the project ends: well, or with one line that says what to mend."""

import sys

import typer

from relevance.errors import RelevanceError


def run(app: typer.Typer, name: str) -> None:
    """Runs a command line as `name`: what a user can mend is one line on stderr and exit code 2; Ctrl-C gives 130."""
    try:
        app(prog_name=name)
    except RelevanceError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
