"""Engine: a native network with its spec and its layout. The modules behind `Network` take an engine."""

from __future__ import annotations

import json
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

    Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Engine:
    """A native network, its resolved options (spec), and the positions of its tensors in the flat array (layout)."""

    native: _native.Network
    spec: Spec
    layout: Layout

    @classmethod
    def of(cls, spec: Spec, native: _native.Network | None = None) -> Self:
        """Return the engine of a native network, by default of a new one."""
        native = native or _native.Network(json.dumps(to_config(spec)))
        return cls(native, spec, Layout(native.tensors()))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the computation."""
        return np.dtype(self.spec.dtype)

    @property
    def current(self) -> Spec:
        """The spec with the current learning rate."""
        return replace(self.spec, optimizer=self.spec.optimizer.with_learning_rate(self.native.learning_rate))

    def copy(self) -> Self:
        """Return an independent engine with the same parameters, moments and counters."""
        return replace(self, native=self.native.copy())

    def trace(self, batch: Batch) -> list[LayerTrace]:
        """Return every quantity of the coming step, layer by layer."""
        return LayerTrace.of(self.spec.layers, self.native.trace(*batch))

    def in_float64(self, **fields: Any) -> Self:
        """Return a copy in float64 with the same moments and counters; `fields` replace fields of its spec."""
        own, spec = self.native, replace(self.current, dtype="float64", **fields)
        native = type(own)(json.dumps(to_config(spec)))
        native.set_parameters(own.parameters().astype(np.float64))
        for k in range(len(own.state_names)):
            native.set_state(k, own.state(k).astype(np.float64))
        native.step_count, native.epoch_count = own.step_count, own.epoch_count
        return replace(self, native=native, spec=spec)

    def tensors(self, flat: Array) -> list[dict[str, Array]]:
        """Return the tensors of each layer by name, as views of `flat`."""
        return self.layout.by_layer(flat, len(self.spec.layers))
