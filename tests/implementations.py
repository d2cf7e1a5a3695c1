"""Both networks behind the same calls, so that one test body runs on each of them."""

from __future__ import annotations

import numpy as np
import pytest

each_implementation = pytest.mark.parametrize("implementation", ["reference", "native"])


def class_of(implementation):
    """Return the class Network of an implementation."""
    if implementation == "reference":
        from chainrule.reference import Network
    else:
        from chainrule import Network
    return Network


def build(implementation, layers, **arguments):
    """Return a network in float64, seed 0 unless `arguments` of the constructor say otherwise."""
    return class_of(implementation)(layers, **{"dtype": "float64", "seed": 0, **arguments})


def identity(implementation, units, **arguments):
    """Return a network whose outputs are f(x) for the `output_activation` f: one layer, w = 1, no bias."""
    from chainrule.reference import Dense

    network = build(implementation, [units, Dense(units, bias=False)], **arguments)
    network.weights = [np.eye(units)]
    return network


def set_moments(network, step, **moments):
    """Give the optimizer a past: the number of steps made, and each moment by name, in the order of the parameters."""
    if hasattr(network, "state"):
        network.state = {name: list(values) for name, values in moments.items()}
        network.step_count = step
        return
    state = dict(network.state_dict())
    state["step"] = step
    for name, values in moments.items():
        rest = np.asarray(values, dtype=float)
        for key in [key for key in state if key.startswith(f"optimizer.{name}.")]:
            part, rest = np.split(rest, [np.size(state[key])])
            state[key] = part.reshape(np.shape(state[key]))
        assert rest.size == 0
    network.load_state_dict(state)
