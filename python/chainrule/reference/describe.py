"""A network in words: the rows of its summary, and the constructor call that builds it again."""

from __future__ import annotations

import dataclasses
import math
from html import escape
from typing import TYPE_CHECKING, Any

from .config import REGISTRIES, activation_of
from .layers import Dense
from .markup import shown_in, table
from .options import required_fields

if TYPE_CHECKING:
    from .config import Spec
    from .layers import Layer
    from .options import Option


def layers_html(spec: Spec, name: str = "Network") -> str:
    """Return the constructor call and the layers for a notebook."""
    header, *rows = layer_rows(spec)
    return shown_in(f"<p><code>{escape(constructor(spec, name))}</code></p>", table(header, rows, right={4}))


def layer_rows(spec: Spec) -> list[tuple[str, ...]]:
    """Return the layers with their output shapes and parameter counts, after a header and before the total."""
    rows: list[tuple[str, ...]] = [
        ("", "layer", "output", "activation", "parameters"),
        ("0", "input", f"(n, {spec.n_inputs})", "", ""),
    ]
    n_in, total = spec.n_inputs, 0
    for i, layer in enumerate(spec.layers, start=1):
        n_out = layer.n_outputs(n_in)
        activation = activation_of(layer)
        n_parameters = sum(map(math.prod, layer.shapes(n_in).values()))
        transfer = activation.name if activation else ""
        rows.append((str(i), remarks(layer), f"(n, {n_out})", transfer, f"{n_parameters:,}"))
        n_in, total = n_out, total + n_parameters
    rows.append(("", "total", "", "", f"{total:,}"))
    return rows


def remarks(layer: Layer) -> str:
    """Return a layer's kind and the options that have no column of their own in the table.

    >>> from chainrule import Dropout
    >>> remarks(Dense(3, bias=False, l2=0.1)), remarks(Dropout(0.5))
    ('Dense, no bias, l2 0.1', 'Dropout 0.5')
    """
    words = [f" {getattr(layer, field):g}" for field in required_fields(layer) if field != "units"]
    for field in dataclasses.fields(layer):
        value = getattr(layer, field.name)
        if isinstance(value, int | float) and field.name not in required_fields(layer) and value != field.default:
            words.append(f", no {field.name}" if value is False else f", {field.name} {value:g}")
    return "".join([type(layer).__name__, *words])


def constructor(spec: Spec, name: str = "Network") -> str:
    """Return the constructor call that builds a network of the same config.

    >>> from chainrule import Dropout
    >>> from chainrule.reference.config import resolve
    >>> constructor(resolve([4, 8, Dropout(0.5), Dense(3, l2=0.1)], activation="tanh", seed=0))
    "Network([4, 8, Dropout(rate=0.5), Dense(3, l2=0.1)], activation='tanh', seed=0)"
    """
    dense = [layer for layer in spec.layers if isinstance(layer, Dense)]
    hidden, last = dense[0], dense[-1]
    # With a single layer no layer uses `activation`, so it keeps its default.
    defaults = {
        "activation": hidden.activation if len(dense) > 1 else choice("activation", "relu"),
        "output_activation": last.activation,
        "init": hidden.init,
    }
    layers = [str(spec.n_inputs)]
    for layer in spec.layers:
        activation = defaults["output_activation" if layer is spec.layers[-1] else "activation"]
        layers.append(item(layer, activation, defaults["init"]))
    arguments = [f"[{', '.join(layers)}]"]
    arguments += shown("activation", defaults["activation"], "relu")
    arguments += shown("output_activation", defaults["output_activation"], "identity")
    arguments += shown("loss", spec.loss, "mse")
    arguments += shown("optimizer", spec.optimizer, "adam")
    arguments += shown("init", defaults["init"], "glorot_uniform")
    if spec.dtype != "float32":
        arguments.append(f"dtype={spec.dtype!r}")
    arguments.append(f"seed={spec.seed}")
    if spec.n_threads is not None:
        arguments.append(f"n_threads={spec.n_threads}")
    return f"{name}({', '.join(arguments)})"


def item(layer: Layer, activation: object, init: object) -> str:
    """Return a layer as an item of `layers`: an int if it has the network's own defaults."""
    if not isinstance(layer, Dense):
        return call(layer)
    plain = Dense(layer.units, activation, True, init)  # type: ignore[arg-type] # both are options
    if layer == plain:
        return str(layer.units)
    fields = [str(layer.units)]
    for field in dataclasses.fields(layer)[1:]:
        value = getattr(layer, field.name)
        if value != getattr(plain, field.name):
            fields.append(f"{field.name}={name_or_call(value)}")
    return f"Dense({', '.join(fields)})"


def shown(argument: str, option: Option | str | None, default: str) -> list[str]:
    """Return the argument, or nothing if it is the default."""
    value = name_or_call(option)
    return [] if value == repr(default) else [f"{argument}={value}"]


def name_or_call(value: Any) -> str:
    """Return an option's name if its fields have their defaults, else its constructor call."""
    name = getattr(value, "name", None)
    if name is None:
        return repr(value)
    return repr(name) if value == type(value)() else call(value)


def call(option: Option) -> str:
    """Return an option's constructor call without the fields that have their defaults."""
    fields = [
        f"{field.name}={getattr(option, field.name)!r}"
        for field in dataclasses.fields(option)
        if getattr(option, field.name) != field.default
    ]
    return f"{type(option).__name__}({', '.join(fields)})"


def choice(kind: str, name: str) -> Option:
    """Return the option of that name."""
    return REGISTRIES[kind][name]()
