"""What was asked for, checked and complete: from a constructor's arguments to a `Spec`, to JSON and back.

    [4, 8, 3], activation="tanh", …  ─ resolve ─▶  Spec  ─ to_config ─▶  {"n_inputs": 4, "layers": [...], ...}
                                                     ▲                       │
                                                     └───── from_config ─────┘

Constructors, saved files, pickles and the fast core all go through here, so the defaults and the checks are in one
place.
"""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any

from .activations import ACTIVATIONS, Activation
from .inits import INITS, Init
from .layers import LAYERS, Dense, Layer
from .losses import LOSSES, Loss
from .optimizers import OPTIMIZERS, Optimizer
from .options import LARGEST, Option, check_keys, choose, from_dict, integer, listed, shown
from .spelling import unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chainrule.names import ActivationName, DType, DTypeName, InitName, LossName, OptimizerName

REGISTRIES: Mapping[str, Mapping[str, type[Option]]] = {
    "activation": ACTIVATIONS,
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "init": INITS,
    "layer": LAYERS,
}
#: Every option by the name of its class.
OPTIONS = {kind.__name__: kind for kinds in REGISTRIES.values() for kind in kinds.values()}
DTYPES: tuple[DTypeName, ...] = ("float32", "float64")
MOST_LAYERS = 10_000


@dataclasses.dataclass(frozen=True)
class Spec:
    """A network as asked for: every default is filled in, every field is checked."""

    n_inputs: int
    layers: tuple[Layer, ...]
    loss: Loss
    optimizer: Optimizer
    dtype: DTypeName
    seed: int
    n_threads: int | None

    @property
    def widths(self) -> list[int]:
        """The number of inputs, then the number of outputs of each layer."""
        widths = [self.n_inputs]
        for layer in self.layers:
            widths.append(layer.n_outputs(widths[-1]))
        return widths

    @property
    def n_outputs(self) -> int:
        """How many outputs the last layer has."""
        return self.widths[-1]


def resolve(
    layers: Sequence[int | Layer],
    *,
    activation: ActivationName | Activation = "relu",
    output_activation: ActivationName | Activation = "identity",
    loss: LossName | Loss = "mse",
    optimizer: OptimizerName | Optimizer = "adam",
    init: InitName | Init = "glorot_uniform",
    dtype: DType = "float32",
    seed: int | None = None,
    n_threads: int | None = None,
) -> Spec:
    """Return the spec that the arguments of a Network's constructor mean, or say what is wrong with them.

    Examples
    --------
    >>> spec = resolve([4, Dense(8, l2=0.1), 3], activation="tanh", seed=0)
    >>> spec.layers[0]
    Dense(units=8, activation=Tanh(), bias=True, init=GlorotUniform(), l2=0.1)
    >>> spec.optimizer
    Adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, eps=1e-08)
    >>> resolve([4, 8, 3], activation="rleu")
    Traceback (most recent call last):
    ValueError: activation 'rleu' is unknown; did you mean 'relu'? (known: identity, sigmoid, tanh, relu, ...)
    """
    hidden_activation = choose("activation", activation, ACTIVATIONS)
    last_activation = choose("output_activation", output_activation, ACTIVATIONS)
    default_init = choose("init", init, INITS)
    n_inputs, asked = _layers(layers)
    spec = Spec(
        n_inputs=n_inputs,
        layers=tuple(
            layer.with_defaults(last_activation if l == len(asked) - 1 else hidden_activation, default_init)
            for l, layer in enumerate(asked)
        ),
        loss=choose("loss", loss, LOSSES),
        optimizer=choose("optimizer", optimizer, OPTIMIZERS),
        dtype=_dtype(dtype),
        seed=new_seed() if seed is None else integer("seed", seed, 0, 2**63 - 1),
        n_threads=None if n_threads is None else integer("n_threads", n_threads, 1, LARGEST),
    )
    spec.layers[-1].check_last(spec.loss)
    spec.loss.check_outputs(spec.n_outputs)
    return spec


def to_config(spec: Spec) -> dict[str, Any]:
    """Return the spec as dicts, lists, strings and numbers, ready for JSON.

    Examples
    --------
    >>> config = to_config(resolve([4, 3], seed=0))
    >>> config["layers"][0]["activation"]
    {'name': 'identity'}
    >>> from_config(config) == resolve([4, 3], seed=0)
    True
    """
    return {
        "n_inputs": spec.n_inputs,
        "layers": [layer.to_dict() for layer in spec.layers],
        "loss": spec.loss.to_dict(),
        "optimizer": spec.optimizer.to_dict(),
        "dtype": spec.dtype,
        "seed": spec.seed,
        "n_threads": spec.n_threads,
    }


def from_config(config: Mapping[str, Any]) -> Spec:
    """Return the spec that `to_config` wrote; whatever else is in `config` is a ValueError."""
    try:
        return _from_config(config)
    except TypeError as error:  # what came out of a file has no wrong type, it is wrong
        raise ValueError(f"config: {error}") from None
    except ValueError as error:
        raise ValueError(f"config: {error}") from None


def _from_config(config: object) -> Spec:
    if not isinstance(config, dict):
        raise TypeError(f"must be a dict, not {shown(config)}")
    check_keys("config", config, [field.name for field in dataclasses.fields(Spec)])
    if not isinstance(config["layers"], list):
        raise TypeError(f"layers must be a list, not {shown(config['layers'])}")
    layers = [from_dict(f"layers[{l}]", entry, LAYERS, key="kind") for l, entry in enumerate(config["layers"])]
    return resolve(
        [config["n_inputs"], *layers],
        loss=from_dict("loss", config["loss"], LOSSES),
        optimizer=from_dict("optimizer", config["optimizer"], OPTIMIZERS),
        dtype=config["dtype"],
        seed=integer("seed", config["seed"], 0, 2**63 - 1),
        n_threads=config["n_threads"],
    )


def activation_of(layer: Layer) -> Activation | None:
    """Return the activation function of a layer that has one."""
    activation: Activation | None = getattr(layer, "activation", None)
    return activation


def new_seed() -> int:
    """Return a seed from the operating system's randomness."""
    return int.from_bytes(os.urandom(8), "little") >> 1


def _layers(layers: object) -> tuple[int, list[Layer]]:
    """Return the number of inputs, and a layer for each item after it."""
    if isinstance(layers, (str, bytes, dict)) or not (hasattr(layers, "__len__") and hasattr(layers, "__getitem__")):
        raise TypeError(f"layers must be a sequence such as [4, 8, 3], not {shown(layers)}")
    if len(layers) > MOST_LAYERS:
        raise ValueError(f"layers must have at most {MOST_LAYERS} items, not {len(layers)}")
    items = listed(layers)  # type: ignore[arg-type] # whatever has a length and items can be walked through
    if len(items) < 2:
        raise ValueError(
            f"layers must have the number of inputs and at least one Dense layer, such as [4, 1], not {shown(layers)}"
        )
    if isinstance(items[0], Layer):
        raise TypeError(f"layers[0] must be the number of inputs, an integer, not {shown(items[0])}")
    n_inputs = integer("layers[0], the number of inputs,", items[0], 1, LARGEST)
    return n_inputs, [_layer(position, item) for position, item in enumerate(items[1:], start=1)]


def _layer(position: int, item: object) -> Layer:
    for kind in LAYERS.values():
        if type(item) is kind:
            return item
        if item is kind or (isinstance(item, str) and item in (kind.name, kind.__name__)):
            what = "the class" if item is kind else "the name of"
            raise TypeError(
                f"layers[{position}] is {what} {kind.__name__}: write {kind.__name__}(...), with its fields"
            )
    if isinstance(item, bool) or not hasattr(item, "__index__"):
        kinds = " or ".join(f"{kind.__name__}(...)" for kind in LAYERS.values())
        raise TypeError(f"layers[{position}] must be a number of units (an integer) or {kinds}, not {shown(item)}")
    return Dense(integer(f"layers[{position}], a number of units,", item, 1, LARGEST))


def _dtype(dtype: Any) -> DTypeName:
    # NumPy's types have a name (np.dtype) or are named (np.float32); a string is its own name.
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", getattr(dtype, "__name__", None))
    if not isinstance(name, str):
        raise TypeError(f"dtype must be one of {', '.join(DTYPES)}, not {shown(dtype)}")
    for known in DTYPES:
        if name == known:
            return known
    raise ValueError(unknown("dtype", name, DTYPES))
