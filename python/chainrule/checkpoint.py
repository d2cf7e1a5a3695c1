"""The state of a network as a dict of named arrays and numbers, and as a safetensors file.

    {"format_version": 1, "config": {…}, "layers.0.weight": w, "layers.0.bias": b, …,     always
     "random_streams": 2, "step": 40, "epoch": 4, "optimizer.m.layers.0.weight": m, …}    with the training state

The number in a name is the layer's position, counted from 0 after the inputs. The buffers of a layer, which are saved
and not trained, stand beside its tensors. In a file the arrays keep their names and the rest is JSON in the metadata
under "chainrule". A file is not trusted: its header is read first, and its tensors only if their shapes are those that
its config says. Every key must be known, and nothing in it is executed.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from . import _arrays, _native
from .engine import Engine, text_of
from .layout import buffer_shapes, shapes
from .reference import config as configuration
from .reference.options import integer, shown
from .reference.spelling import unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import FrameType

    from numpy.typing import NDArray

    from .layout import Layout

    Array: TypeAlias = NDArray[Any]

FORMAT = "chainrule.network"
FORMAT_VERSION = 1
# How layers draw in training: 1, one stream for all masks of a layer; 2, each number from its place. Without it: 1.
RANDOM_STREAMS = 2
NOT_ARRAYS = ("format_version", "config", "random_streams", "step", "epoch")  # what a state holds beside arrays
# Who reads what: for the message where a file is another's.
READERS = {
    FORMAT: "chainrule.Network.load",
    "chainrule.tabular": "chainrule.tabular.TabularModel.load (on the command line: chainrule predict, evaluate, info)",
}
OTHER_MASKS = (
    "this training state is of an older chainrule, which drew dropout masks in another way: the masks of coming steps "
    "are not those that it would have drawn. Training goes on and its results are valid, but not the same to the bit"
)
LARGEST_COUNT = 2**53  # of steps and epochs: the optimizers count in doubles, which hold whole numbers up to here


def state_dict(engine: Engine, *, training_state: bool = True) -> dict[str, Any]:
    """Return the network's state by the names above.

    The arrays are copies. With `training_state`, a network rebuilt from the state continues training exactly.

    Examples
    --------
    >>> from chainrule import Network
    >>> list(Network([2, 1], seed=0).state_dict(training_state=False))
    ['format_version', 'config', 'layers.0.weight', 'layers.0.bias']
    """
    native = engine.native.copy()  # a consistent state, even if another thread trains meanwhile
    config = configuration.to_config(replace(engine, native=native).current)
    state: dict[str, Any] = {"format_version": FORMAT_VERSION, "config": config}
    flats = {"": native.parameters()}
    if training_state:
        state["random_streams"] = RANDOM_STREAMS
        state["step"] = native.step_count
        state["epoch"] = native.epoch_count
        flats.update({f"optimizer.{name}.": native.state(k) for k, name in enumerate(native.state_names)})
    for prefix, flat in flats.items():
        for tensor in engine.layout.tensors:
            state[prefix + tensor.key] = tensor.view(flat)
    buffers = native.buffers()
    state.update({tensor.key: tensor.view(buffers) for tensor in engine.buffer_layout.tensors})
    return state


def rebuilt(state: Mapping[str, Any]) -> Engine:
    """Return the engine of the network that `state_dict` described.

    Raises
    ------
    ValueError
        A key is missing or unknown, or its value or shape is wrong. The message names the key.
    MemoryError
        The network is larger than memory.

    Warns
    -----
    UserWarning
        Training goes on with other dropout masks than the version that wrote the state would have drawn.
    """
    if not hasattr(state, "keys"):
        raise TypeError(f"state must be a dict such as Network.state_dict() returns, not {shown(state)}")
    check_version(state)
    streams = check_version({"random_streams": 1, **state}, "random_streams", RANDOM_STREAMS)
    spec = configuration.from_config(needed(state, "config"))
    prefixes, counts = [""], {}
    if "step" in state or "epoch" in state:
        prefixes += [f"optimizer.{name}." for name in spec.optimizer.state_names]
        counts = {name: count(name, needed(state, name)) for name in ("step", "epoch")}
    trained = {prefix + key: shape for prefix in prefixes for key, shape in shapes(spec).items()}
    arrays = {name: shaped(name, needed(state, name), shape) for name, shape in trained.items()}
    buffers = buffer_shapes(spec)  # made of their first values, and only where the trained tensors are that large
    for key in state:
        if key not in trained and key not in buffers and key not in NOT_ARRAYS:
            raise ValueError(unknown("key", str(key), [*trained, *buffers]))
    arrays |= {name: shaped(name, needed(state, name), shape) for name, shape in buffers.items()}
    check_finite(arrays)

    # The arrays have the sizes that the config states, so it is safe to allocate the network only now.
    engine = Engine.of(spec, _native.Network(text_of(configuration.to_config(spec)), draw=False))
    native = engine.native
    native.set_parameters(gathered(arrays, "", engine.layout, engine.dtype))
    native.set_buffers(gathered(arrays, "", engine.buffer_layout, engine.dtype))
    for k, prefix in enumerate(prefixes[1:]):
        native.set_state(k, gathered(arrays, prefix, engine.layout, engine.dtype))
    if counts and streams < RANDOM_STREAMS and any(layer.draws for layer in spec.layers):
        warnings.warn(OTHER_MASKS, stacklevel=outside())
    native.step_count = counts.get("step", 0)
    native.epoch_count = counts.get("epoch", 0)
    return engine


def outside() -> int:
    """Return the stacklevel, for a warning of the caller, of the first line that is not of this package."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - its documented name
    level = 1
    while frame is not None and f"{frame.f_globals.get('__package__')}.".startswith("chainrule."):
        frame, level = frame.f_back, level + 1
    return level


def gathered(arrays: Mapping[str, Array], prefix: str, layout: Layout, dtype: np.dtype[Any]) -> Array:
    """Return the arrays of a layout as one flat row."""
    flat = np.empty(layout.size, dtype)
    for tensor in layout.tensors:
        tensor.view(flat)[...] = _arrays.cast(arrays[prefix + tensor.key], dtype)
    return flat


def check_version(state: Mapping[str, Any], name: str = "format_version", newest: int = FORMAT_VERSION) -> int:
    """Return a version that a state was written in; refuse a later one than the newest that is known."""
    version = needed(state, name)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ValueError(f"{name} must be an integer from 1, not {shown(version)}")
    if version > newest:
        raise ValueError(
            f"{name} is {version}, this chainrule ({_native.__version__}) reads up to {newest}: "
            "it was written by a newer one; upgrade to read it"
        )
    return version


def needed(state: Mapping[str, Any], name: str) -> Any:
    """Return the value of a required key."""
    if name not in state:
        raise ValueError(f"{name!r} is missing")
    return state[name]


def count(name: str, value: object) -> int:
    """Return a counter."""
    try:
        return integer(name, value, 0, LARGEST_COUNT)
    except TypeError as error:  # a wrong type in a file is a wrong value, not a mistake of the caller
        raise ValueError(str(error)) from None


def shaped(name: str, value: object, shape: tuple[int, ...]) -> Array:
    """Return the array of that name; check that it has the shape."""
    array = _arrays.as_numbers(value, np.dtype(np.float64), name)
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, as its config says, got {array.shape}")
    return array


def differences(mine: object, other: object, path: str = "config") -> Iterable[str]:
    """Yield the differences between two configs, one line each."""
    if isinstance(mine, dict) and isinstance(other, dict) and mine.keys() == other.keys():
        for key, value in mine.items():
            yield from differences(value, other[key], f"{path}.{key}")
    elif isinstance(mine, list) and isinstance(other, list) and len(mine) == len(other):
        for i, value in enumerate(mine):
            yield from differences(value, other[i], f"{path}[{i}]")
    elif mine != other:
        yield f"{path} is {shown(other)} in the state but {shown(mine)} in this network"


def check_same(mine: dict[str, Any], other: dict[str, Any], *, training_state: bool) -> None:
    """Refuse a state whose config differs from the network's; without training state only the layers must agree."""
    names = ["n_inputs", "layers", "loss", *(["dtype", "optimizer"] if training_state else [])]
    for name in names:
        for difference in differences(mine[name], other[name], f"config.{name}"):
            where = difference.split(" ", 1)[0]
            if where.startswith("config.optimizer.learning_rate") or where.endswith((".init.name", ".init")):
                continue  # the learning rate is loaded; the init only drew the first weights
            raise ValueError(
                f"{difference}; Network.from_state_dict(state) builds the network that the state describes"
            )


def save(engine: Engine, path: str | os.PathLike[str], *, training_state: bool = True) -> None:
    """Write `state_dict` to a file; see `Network.save`."""
    state = state_dict(engine, training_state=training_state)
    check_finite({name: value for name, value in state.items() if isinstance(value, np.ndarray)})
    write(path, FORMAT, state)


def check_finite(arrays: Mapping[str, Array]) -> None:
    """Refuse NaN and infinity. A fit that Ctrl-C ended just before it would have diverged can leave them."""
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} has a value that is not finite")


def read(path: str) -> dict[str, Any]:
    """Return the `state_dict` in a file."""
    header, tensors = parts(path, FORMAT, "a network")
    for name in header:
        if name in tensors or name not in NOT_ARRAYS:
            raise ValueError(f"its metadata hold {name!r}, which is unknown there")
    return {**header, **tensors}


def write(path: str | os.PathLike[str], kind: str, state: Mapping[str, Any]) -> None:
    """Write a file of format `kind`: arrays as tensors, everything else as JSON in the metadata."""
    tensors = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
    told = {name: value for name, value in state.items() if name not in tensors}
    header = {"format": kind, "written_by": _native.__version__, **told}
    _native.write_tensors(path_of(path), tensors, {"chainrule": json.dumps(header)})


def parts(path: str, kind: str, what: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the JSON and the tensors that `write` stored; refuse another format and name its reader.

    Tensors of other shapes than the config says are not read. Arrays of such shapes that take no memory stand for them,
    so that the checks of a state name what is wrong.
    """
    described, metadata = _native.read_header(path)
    header = parsed(metadata, kind, what)
    if not fits(header.get("config"), {name: shape for name, (_, shape) in described.items()}):
        nan = np.float32(np.nan)  # which is refused as well
        return header, {name: np.broadcast_to(nan, shape) for name, (_, shape) in described.items()}
    tensors, metadata = _native.read_tensors(path)
    return parsed(metadata, kind, what), tensors  # it may have been replaced meanwhile


def fits(config: Any, found: Mapping[str, tuple[int, ...]]) -> bool:
    """Return whether the shapes of a file's tensors are those of the network that its config describes."""
    try:
        spec = configuration.from_config(config)
    except (TypeError, ValueError):
        return False
    known = shapes(spec)
    if any(found.get(name) != shape for name, shape in known.items()):
        return False
    moments = {f"optimizer.{moment}.{name}": known[name] for moment in spec.optimizer.state_names for name in known}
    known |= moments | buffer_shapes(spec)
    return all(known.get(name) == shape for name, shape in found.items())


def parsed(metadata: Mapping[str, str], kind: str, what: str) -> dict[str, Any]:
    """Return the JSON in the metadata of a file of format `kind`."""
    if "chainrule" not in metadata:
        raise ValueError("not written by chainrule: its metadata lack the key 'chainrule'")
    try:
        header = json.loads(metadata["chainrule"])
    except (ValueError, RecursionError):
        raise ValueError("its metadata under 'chainrule' are not JSON") from None
    if not isinstance(header, dict):
        raise ValueError(f"its metadata under 'chainrule' must be an object, not {shown(header)}")  # noqa: TRY004 - a file
    found = header.pop("format", None)
    if found != kind:
        reader = READERS.get(found) if isinstance(found, str) else None
        hint = f"; it is read by {reader}" if reader else ""
        raise ValueError(f"its format is {shown(found)}, which is not {what} ({kind}){hint}")
    header.pop("written_by", None)
    return header


def about(path: str, error: ValueError) -> ValueError:
    """Return the error with the path in front, unless the core has named it already."""
    text = str(error)
    return ValueError(text if text.startswith(path) else f"{path}: {text}")


def path_of(path: str | os.PathLike[str]) -> str:
    """Return the path as text."""
    try:
        return os.fsdecode(path)
    except TypeError:
        raise TypeError(f"path must be a str or an os.PathLike, not {shown(path)}") from None
