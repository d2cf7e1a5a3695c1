"""``chainrule demo``: runs the demonstration in `chainrule.demo`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("demo", short_help="Learn handwritten digits, verify, compare with scikit-learn.")
@click.option("--seed", type=click.IntRange(0, 2**62), default=0, show_default=True, metavar="N", help="First seed.")
@click.option(
    "--seeds", type=click.IntRange(1, 1000), default=5, show_default=True, metavar="N", help="How many networks."
)
@click.option(
    "--epochs", type=click.IntRange(1, 10**6), default=60, show_default=True, metavar="N", help="Passes over the data."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="chainrule-demo",
    show_default=True,
    metavar="DIR",
    help="Folder of the plots.",
)
@click.option("--no-plot", is_flag=True, help="Write no plots.")
@click.option("--no-compare", is_flag=True, help="Do not train scikit-learn's network.")
def command(*, seed: int, seeds: int, epochs: int, out: Path, no_plot: bool, no_compare: bool) -> int:
    """Learn scikit-learn's handwritten digits with several seeds.

    Prints the accuracy on held-out digits, verifies the gradients, compares with scikit-learn and plots the loss.
    The exit code is 1 if the gradients are wrong.
    """
    from chainrule import demo

    right = demo.run(seed=seed, seeds=seeds, epochs=epochs, compare=not no_compare, out=None if no_plot else out)
    return 0 if right else 1
