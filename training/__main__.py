"""`python -m training classifier | towers`."""

import sys

import typer

import training.classifier.command
import training.towers.command
from relevance.errors import RelevanceError

app = typer.Typer(help="Train models offline.", no_args_is_help=True, add_completion=False)
app.command("classifier")(training.classifier.command.command)
app.command("towers")(training.towers.command.command)


def main() -> None:
    """Runs the command line; what the user can mend is one line on stderr and exit code 2."""
    try:
        app()
    except RelevanceError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
