"""``chainrule verify``: checks that native code, reference and finite differences agree for a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from .common import about, load_any, read_for, reading, unknown_option
from .writing import say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chainrule.names import Unknown
    from chainrule.network import Network

    Array = NDArray[Any]

N_ROWS = 32


@click.command("verify", short_help="Verify a model's gradients.")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path), required=False)
@unknown_option
@reading
def command(*, model: Path, data: Path | None, unknown: Unknown, sep: str | None, header: bool | None) -> int:
    """Verify that native code, plain-Python reference and finite differences agree for MODEL.

    Uses the first rows of the CSV file DATA (- is standard input), which needs the target; without DATA, random rows.
    The exit code is 1 if a check fails. MODEL may also be a file of `Network.save`; then leave DATA out.
    """
    from chainrule.tabular import TabularModel

    loaded = load_any(model, data)
    network = loaded.network if isinstance(loaded, TabularModel) else loaded
    if data is None:
        x, y = drawn(network)
    elif isinstance(loaded, TabularModel):
        frame = read_for(loaded, data, sep, header)
        with about(data):
            x, y = loaded.encode(frame, unknown=unknown), loaded.encode_target(frame)
    else:
        raise click.UsageError(f"{model} knows no columns: leave DATA out", click.get_current_context())
    report = network.verify(x, y, n_rows=N_ROWS)
    say(report)
    return 0 if report else 1


def drawn(network: Network) -> tuple[Array, Array]:
    """Return fixed random rows: normal inputs, with the network's predictions for other inputs as targets.

    These predictions are valid targets for the loss, and wrong enough for the inputs to give a gradient.
    """
    from chainrule.tabular.targets import MARGINS

    rng = np.random.default_rng(0)
    x = rng.standard_normal((N_ROWS, network.n_inputs))
    y = network.predict(x[::-1])[:, : network.loss.n_targets(network.n_outputs)]
    return x, np.where(y < 0.0, -1.0, 1.0) if network.loss.name in MARGINS else y
