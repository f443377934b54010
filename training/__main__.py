"""`python -m training classifier | backbones | groups | attributes | export | towers`."""

import typer

import training.attributes.command
import training.classifier.command
import training.classifier.measured_backbones
import training.groups.command
import training.serving.command
import training.towers.command
from relevance.entry import run

app = typer.Typer(help="Train models offline.", no_args_is_help=True, add_completion=False)
app.command("classifier")(training.classifier.command.command)
app.command("backbones")(training.classifier.measured_backbones.command)
app.command("groups")(training.groups.command.command)
app.command("attributes")(training.attributes.command.command)
app.command("export")(training.serving.command.command)
app.command("towers")(training.towers.command.command)

if __name__ == "__main__":
    run(app, "python -m training")
