"""A tabular model as one safetensors file: the network's tensors, and everything else as JSON in the metadata.

    "format": "chainrule.tabular", "format_version": 2, "config": {…},          as in a network's file
    "names", "target_name", "missing", "columns": [{"kind": "numeric", …}, …], "left_out": [[name, reason], …],
    "target": {…}, "reading": {"sep": …, "encoding": …}, "notes": {…}
    tensors: "layers.0.weight", "layers.0.bias", …

Version 1 had "constant", a list of names, for "left_out", neither notations nor "reading", and is read still.
A file is not trusted: the type and the consistency of everything are checked, and every key must be known.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from chainrule import checkpoint
from chainrule.network import Network
from chainrule.reference.options import check_keys, shown

from .columns import LARGEST, Categorical, Numeric
from .dates import LAST_SECOND, PARTS, Dates
from .decisions import CONSTANT, LEFT_OUT
from .inputs import Inputs
from .notation import DECIMAL, PLAIN, THOUSANDS, Notation
from .targets import LABEL_TYPES, Classes, Numbers, losses

if TYPE_CHECKING:
    import os

    from .decisions import Column
    from .targets import Target

FORMAT = "chainrule.tabular"
FORMAT_VERSION = 2
READING = ("sep", "encoding")

T = TypeVar("T")


@dataclass
class Parts:
    """What a model consists of."""

    inputs: Inputs
    target: Target
    network: Network
    reading: dict[str, str]
    notes: dict[str, str]


def save(path: str | os.PathLike[str], parts: Parts) -> None:
    """Write a model; see `TabularModel.save`."""
    inputs, target = parts.inputs, parts.target
    state = {
        **parts.network.state_dict(training_state=False),
        "format_version": FORMAT_VERSION,
        "names": inputs.names,
        "target_name": inputs.target,
        "missing": inputs.missing,
        "left_out": inputs.left_out,
        "columns": [{"kind": column.kind, **fields(column)} for column in inputs.columns],
        "target": {"task": target.task, **fields(target)},
        "reading": parts.reading,
        "notes": parts.notes,
    }
    checkpoint.write(path, FORMAT, state)


def load(path: str | os.PathLike[str]) -> Parts:
    """Return the parts of a saved model; see `TabularModel.load`."""
    path = checkpoint.path_of(path)
    try:
        return parsed(*checkpoint.parts(path, FORMAT, "a tabular model"))
    except ValueError as error:
        raise checkpoint.about(path, error) from None


def parsed(header: dict[str, Any], tensors: dict[str, Any]) -> Parts:
    """Return the model that the metadata and the tensors of a file describe."""
    if checkpoint.check_version(header, newest=FORMAT_VERSION) == 1:
        header = of_version_1(header)
    expected = ("names", "target_name", "missing", "left_out", "columns", "target", "reading", "notes")
    check_keys("its metadata", header, ["format_version", "config", *expected])
    names = tuple_of(header, "names", (str, int))
    if not names or len({type(name) for name in names}) > 1 or len(set(names)) < len(names):
        raise ValueError("names must be of one type, each different")
    goal = target(of_type(header, "target", dict))
    inputs = Inputs(
        names=names,
        target=name_of(header["target_name"], "target_name"),
        columns=tuple(column(i, entry) for i, entry in enumerate(of_type(header, "columns", list))),
        left_out=tuple(left_out(i, entry) for i, entry in enumerate(of_type(header, "left_out", list))),
        missing=tuple_of(header, "missing", (str,)),
    )
    check_names(inputs, goal)
    notes, reading = of_type(header, "notes", dict), of_type(header, "reading", dict)
    if not all(isinstance(value, str) for value in (*notes.values(), *reading.values())):
        raise ValueError("notes and reading must hold texts")
    if not set(reading) <= set(READING):
        raise ValueError(f"reading must hold no more than {' and '.join(READING)}, not {shown(reading)}")
    state = {"format_version": checkpoint.FORMAT_VERSION, "config": header["config"], **tensors}
    network = Network.from_state_dict(state)
    check_network(network, inputs, goal)
    return Parts(inputs, goal, network, reading, notes)


def of_version_1(header: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of a file of version 1 in the form of version 2."""
    header = {**header, "reading": {}, "left_out": [[name, CONSTANT] for name in of_type(header, "constant", list)]}
    del header["constant"]
    return header


def left_out(i: int, entry: object) -> tuple[str | int, str]:
    """Return a column that is no input, and the reason."""
    if not isinstance(entry, list) or len(entry) != 2 or entry[1] not in LEFT_OUT:
        raise ValueError(f"left_out[{i}] must be a name and a reason ({', '.join(LEFT_OUT)}), not {shown(entry)}")
    return name_of(entry[0], f"left_out[{i}]"), entry[1]


def column(i: int, entry: object) -> Column:
    """Return a column that `save` wrote."""
    kinds: dict[str, type[Column]] = {kind.kind: kind for kind in (Numeric, Categorical, Dates)}
    where = f"columns[{i}]"
    if not isinstance(entry, dict) or entry.get("kind") not in list(kinds):  # "kind" may be unhashable
        raise ValueError(f"{where} must be an object with a kind ({', '.join(kinds)}), not {shown(entry)}")
    kind = kinds[entry["kind"]]
    if kind is Numeric:
        entry = {"notation": None, **entry}
    check_keys(where, entry, ["kind", *(field.name for field in dataclasses.fields(kind))])
    name = name_of(entry["name"], f"{where}.name")
    if kind is Numeric:
        fill = None if entry["fill"] is None else finite(entry["fill"], f"{where}.fill")
        mean, scale = finite(entry["mean"], f"{where}.mean"), positive(entry["scale"], f"{where}.scale")
        return Numeric(name, mean, scale, fill, notation(entry["notation"], where))
    if kind is Dates:
        return dates(entry, name, where)
    categories = tuple_of(entry, "categories", (str,))
    if not categories or len(set(categories)) < len(categories):
        raise ValueError(f"{where}.categories must be different texts, one at least")
    gap = of_type(entry, "gap", bool)
    fill = entry["fill"]
    if fill is not None and (type(fill) is not int or gap or not 0 <= fill < len(categories)):
        raise ValueError(f"{where}.fill must be the index of a category, or null if gap is true; not {fill!r}")
    return Categorical(name, categories, gap, fill)


def dates(entry: dict[str, Any], name: str | int, where: str) -> Dates:
    """Return a column of dates that `save` wrote."""
    form, parts = of_type(entry, "form", str), tuple_of(entry, "parts", (str,))
    if not parts or not set(parts) <= set(PARTS) or len(set(parts)) < len(parts):
        raise ValueError(f"{where}.parts must be some of {', '.join(PARTS)}, not {shown(parts)}")
    means = tuple(finite(mean, f"{where}.means") for mean in of_type(entry, "means", list))
    scales = tuple(positive(scale, f"{where}.scales") for scale in of_type(entry, "scales", list))
    if not len(parts) == len(means) == len(scales):
        raise ValueError(f"{where} must have one mean and one scale for each part")
    fill = None if entry["fill"] is None else finite(entry["fill"], f"{where}.fill")
    if fill is not None and abs(fill) > LAST_SECOND:
        raise ValueError(f"{where}.fill must be the seconds of a date, not {fill!r}")
    return Dates(name, form, parts, means, scales, fill)


def notation(entry: object, where: str) -> Notation:
    """Return how numbers are written; None is the plain notation."""
    if entry is None:
        return PLAIN
    if not isinstance(entry, dict):
        raise ValueError(f"{where}.notation must be an object or null, not {shown(entry)}")  # noqa: TRY004 - a file
    check_keys(f"{where}.notation", entry, [field.name for field in dataclasses.fields(Notation)])
    marks = {key: of_type(entry, key, str) for key in entry}
    if marks["decimal"] not in DECIMAL or marks["thousands"] not in THOUSANDS or marks["decimal"] == marks["thousands"]:
        raise ValueError(f"{where}.notation must have marks of decimals and thousands, not {shown(entry)}")
    return Notation(**marks)


def target(entry: dict[str, Any]) -> Target:
    """Return a target that `save` wrote."""
    kinds: dict[str, type[Target]] = {kind.task: kind for kind in (Classes, Numbers)}
    if entry.get("task") not in list(kinds):
        raise ValueError(f"target must have a task ({', '.join(kinds)}), not {shown(entry.get('task'))}")
    kind = kinds[entry["task"]]
    if kind is Numbers:
        entry = {"notation": None, **entry}
    check_keys("target", entry, ["task", *(field.name for field in dataclasses.fields(kind))])
    name = name_of(entry["name"], "target.name")
    if kind is Numbers:
        mean, scale = finite(entry["mean"], "target.mean"), positive(entry["scale"], "target.scale")
        return Numbers(name, mean, scale, notation(entry["notation"], "target"))
    labels = tuple_of(entry, "labels", (str,))
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise ValueError("target.labels must be different texts, two at least")
    if entry["label_type"] not in list(LABEL_TYPES):
        raise ValueError(f"target.label_type must be one of {', '.join(LABEL_TYPES)}")
    classes = Classes(name, labels, entry["label_type"])
    classes.values()  # refuses labels that are not integers although label_type says so
    return classes


def check_names(inputs: Inputs, goal: Target) -> None:
    """Refuse columns that the table does not have."""
    used = [*(column.name for column in inputs.columns), *(name for name, _ in inputs.left_out), inputs.target]
    if goal.name != inputs.target:
        raise ValueError("target.name and target_name differ")
    if len(set(used)) < len(used):
        raise ValueError("a column appears twice")
    absent = [name for name in used if name not in inputs.names or type(name) is not type(inputs.names[0])]
    if absent:
        raise ValueError(f"names lacks {absent[0]!r}")
    if not inputs.columns:
        raise ValueError("columns must hold one column at least")


def check_network(network: Network, inputs: Inputs, goal: Target) -> None:
    """Refuse a network that does not fit these inputs and this target."""
    n_classes = len(goal.labels) if isinstance(goal, Classes) else 0
    if network.n_inputs != inputs.width:
        raise ValueError(f"the network has {network.n_inputs} inputs, but its columns make {inputs.width}")
    if network.loss.name not in losses(goal.task, n_classes):
        raise ValueError(f"the network's loss is {network.loss.name!r}, which does not fit {goal.task}")
    if network.n_outputs != goal.n_outputs(network.loss):
        raise ValueError(
            f"the network has {network.n_outputs} outputs, its target needs {goal.n_outputs(network.loss)}"
        )


def fields(item: Column | Target) -> dict[str, Any]:
    """Return the fields of a column or a target, ready for JSON."""
    entry = {field.name: getattr(item, field.name) for field in dataclasses.fields(item)}
    if "notation" in entry:
        entry["notation"] = None if entry["notation"] == PLAIN else dataclasses.asdict(entry["notation"])
    return entry


def of_type(entry: dict[str, Any], key: str, kind: type[T]) -> T:
    """Return an entry of that type."""
    value = entry[key]
    if not isinstance(value, kind):
        raise ValueError(f"{key} must be of type {kind.__name__}, not {shown(value)}")  # noqa: TRY004 - a file
    return value


def tuple_of(entry: dict[str, Any], key: str, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    """Return an entry, a list of items of these types, as a tuple."""
    items = of_type(entry, key, list)
    for item in items:
        if type(item) not in kinds:
            raise ValueError(f"{key} must hold {' or '.join(kind.__name__ for kind in kinds)}, not {shown(item)}")
    return tuple(items)


def name_of(value: object, where: str) -> str | int:
    """Return the name of a column."""
    if isinstance(value, str) or type(value) is int:
        return value
    raise ValueError(f"{where} must be a text or a number, not {shown(value)}")


def finite(value: object, where: str) -> float:
    """Return a number that a column may hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{where} must be a number, not {shown(value)}")  # noqa: TRY004 - a file
    if not abs(value) <= LARGEST:  # true for NaN too
        raise ValueError(f"{where} must be a number up to {LARGEST:g}, not {shown(value)}")
    return float(value)


def positive(value: object, where: str) -> float:
    """Return a scale."""
    scale = finite(value, where)
    if scale <= 0.0:
        raise ValueError(f"{where} must be > 0, not {scale!r}")
    return scale
