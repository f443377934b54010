"""`python -m training groups`."""

import inspect
from pathlib import Path
from typing import Annotated, Any

import typer

from training.classifier.command import command as classifier_command
from training.classifier.command import make_options, test_line
from training.outputs import named


def command(
    dataset: Annotated[Path, typer.Argument(help="Dataset folder with photos.")],
    out: Annotated[Path, typer.Option(help="Where to write the classifier.", callback=named)],
    level: Annotated[int, typer.Option(help="The categories of this level become groups; 1 is the top.")],
    classifier: Annotated[
        Path | None,
        typer.Option(
            help="A trained classifier to split, with the options it was made with; else one is trained first."
        ),
    ] = None,
    bound: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="A group's model runs on a photo from this probability of the group."),
    ] = 0.02,
    **options: Any,
) -> None:
    """Train a model for each part of the category tree, behind a classifier that tells the part."""
    made = make_options(out, **options)
    from training.groups.train import Split, run

    metrics = run(dataset, classifier, out, Split(level, bound), made)
    if metrics is None:  # the chief tells
        return
    typer.echo(f"classifier: {out} ({metrics['group_models']} models for {metrics['groups']} groups)")
    if metrics["test"]:
        typer.echo(f"  test:              {test_line(metrics['test'])}")
        typer.echo(f"  without the groups: {test_line(metrics['general_test'])}")


def _with_options_of(other: Any) -> inspect.Signature:
    """The signature of `command` with the options of another command in place of `**options`."""
    own = [one for one in inspect.signature(command).parameters.values() if one.kind is not one.VAR_KEYWORD]
    known = {one.name for one in own}
    more = [one for one in inspect.signature(other).parameters.values() if one.name not in known]
    return inspect.Signature([*own, *more])


command.__signature__ = _with_options_of(classifier_command)  # type: ignore[attr-defined]
