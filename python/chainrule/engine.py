"""Engine: a native network with its spec and its layouts. Everything below `Network` works with it."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from . import _native
from .layout import Layout
from .records import LayerTrace
from .reference.config import to_config

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    from .batch import Batch
    from .reference.config import Spec
    from .reference.optimizers import Optimizer

    Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Engine:
    """What computes, what was asked for, and where each tensor stands in the flat rows of parameters and buffers."""

    native: _native.Network
    spec: Spec
    layout: Layout
    buffer_layout: Layout

    @classmethod
    def of(cls, spec: Spec, native: _native.Network | None = None) -> Self:
        """Return the engine of a native network, by default of a new one."""
        native = native or _native.Network(text_of(to_config(spec)))
        return cls(native, spec, Layout(native.tensors()), Layout(native.buffer_tensors()))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the computation."""
        return np.dtype(self.spec.dtype)

    @property
    def current(self) -> Spec:
        """The spec with the current learning rate."""
        optimizer = self.spec.optimizer
        rate: Any = optimizer.read("learning_rate", json.loads(self.native.config)["optimizer"]["learning_rate"])
        return replace(self.spec, optimizer=optimizer.with_learning_rate(rate))

    def copy(self) -> Self:
        """Return an engine of its own with the same parameters, buffers, moments and counters."""
        return replace(self, native=self.native.copy())

    def with_optimizer(self, optimizer: Optimizer) -> Self:
        """Return the same network with another optimizer, whose moments and updates begin at zero."""
        spec = replace(self.spec, optimizer=optimizer)
        native = type(self.native)(text_of(to_config(spec)), draw=False)
        native.set_parameters(self.native.parameters())
        native.set_buffers(self.native.buffers())
        native.epoch_count = self.native.epoch_count
        return replace(self, native=native, spec=spec)

    def trace(self, batch: Batch) -> list[LayerTrace]:
        """Return every quantity of the coming step, layer by layer."""
        return LayerTrace.of(self.spec.layers, self.native.trace(*batch))

    def in_float64(self, **fields: Any) -> Self:
        """Return the same network in float64, buffers, moments and counters too; `fields` of its spec are replaced."""
        own, spec = self.native, replace(self.current, dtype="float64", **fields)
        native = type(own)(text_of(to_config(spec)))
        native.set_parameters(own.parameters().astype(np.float64))
        native.set_buffers(own.buffers().astype(np.float64))
        for k in range(len(own.state_names)):
            native.set_state(k, own.state(k).astype(np.float64))
        native.step_count, native.epoch_count = own.step_count, own.epoch_count
        return replace(self, native=native, spec=spec)

    def tensors(self, flat: Array) -> list[dict[str, Array]]:
        """Return the trained tensors of each layer by name, as views of `flat`."""
        return self.layout.by_layer(flat, len(self.spec.layers))

    def buffers(self) -> list[dict[str, Array]]:
        """Return the buffers of each layer by name."""
        return self.buffer_layout.by_layer(self.native.buffers(), len(self.spec.layers))


def text_of(config: dict[str, Any]) -> str:
    """Return the config as the core reads it: JSON in which its bits stand for each double, which no parser rounds."""
    return json.dumps(in_bits(config))


def in_bits(value: Any) -> Any:
    """Return the value with the bits in hexadecimal in the place of each double."""
    if isinstance(value, dict):
        return {key: in_bits(part) for key, part in value.items()}
    if isinstance(value, list):
        return [in_bits(part) for part in value]
    return "0x" + struct.pack(">d", value).hex() if isinstance(value, float) else value
