"""What all options share: checks of their fields, choice by name, and the way to JSON and back.

An option is a small frozen dataclass such as `ReLU()` or `Adam(learning_rate=0.01)`. It is what a user passes to the
fast network, and it holds the formula that the plain network runs.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
import operator
import reprlib
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, dataclass_transform

from .spelling import check_keywords, check_positional, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Self

LARGEST = 2**31 - 1  # of any count: the product of two still fits in 64 bits
# What a user does who brings a function instead of an option, by the argument.
OWN = {
    "loss": "; for a loss of your own pass its derivative by the outputs to Network.backward, then call apply_gradient",
    "optimizer": "; for an update rule of your own compute it from Network.gradient and assign Network.parameters",
    "init": "; for weights of your own assign Network.weights",
}

Class = TypeVar("Class")


@dataclass_transform(frozen_default=True)
def option(kind: type[Class]) -> type[Class]:
    """Make a class with fields a frozen dataclass that compares and shows itself as `Option` says.

    `dataclass` compiles every method that it adds, for each class and at each import. All that it can add took 0.41 ms
    a class on CPython 3.11; the few that are added here take 0.25 ms. A kind with the fields of its base needs no
    decorator at all.

    >>> @option
    ... class Power(Option):
    ...     exponent: float = 2.0
    >>> Power(3.0), Power(3.0) == Power(3.0), Power() == Power(3.0)
    (Power(exponent=3.0), True, False)
    """
    return dataclasses.dataclass(frozen=True, repr=False, eq=False)(kind)


@option
class Option:
    """Base of every activation, loss, optimizer, init and layer."""

    name: ClassVar[str]

    def __new__(cls, *values: object, **fields: object) -> Self:
        """Refuse an unknown field and name the nearest known one, or a value too many or too few."""
        names = field_names(cls)
        check_keywords(cls.__name__, fields, names)
        check_positional(cls.__name__, values, names, ())
        for field in required_fields(cls)[len(values) :]:
            if field not in fields:
                raise TypeError(f"{cls.__name__}() lacks a value: write {cls.__name__}({field}=...)")
        return super().__new__(cls)

    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, Any]]:
        """Return what copies and pickles pass to __new__: the fields."""
        return (), self._fields()

    @classmethod
    def registries(cls) -> Mapping[str, Mapping[str, type[Option]]]:
        """Return the fields that are options themselves, each with the registry of its kind."""
        return {}

    @classmethod
    def read(cls, field: str, entry: object) -> object:  # noqa: ARG003 - as in optimizers
        """Return the value of a field from the config, where the field is no option of one kind."""
        return entry

    def to_dict(self) -> dict[str, Any]:
        """Return the name and the fields, as they stand in the config."""
        fields = self._fields().items()
        plain = {key: value.to_dict() if isinstance(value, Option) else value for key, value in fields}
        return {"name": self.name, **plain}

    def _fields(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in field_names(type(self))}

    def __repr__(self) -> str:
        fields = ", ".join(f"{key}={value!r}" for key, value in self._fields().items())
        return f"{type(self).__qualname__}({fields})"

    def __eq__(self, other: object) -> bool:
        return self._fields() == other._fields() if type(self) is type(other) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self), *self._fields().values()))


AnyOption = TypeVar("AnyOption", bound=Option)


def field_names(kind: type[Option]) -> tuple[str, ...]:
    """Return the names of an option's fields in their order."""
    return tuple(field.name for field in dataclasses.fields(kind))


def required_fields(kind: type[Option] | Option) -> tuple[str, ...]:
    """Return the names of the fields without a default, such as `units` and `rate`. They are numbers in every kind."""
    return tuple(field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING)


def check_number(option: Option, field: str, interval: str) -> None:
    """Refuse a field that is not a number in `interval`, such as "[0, 1)"; keep it as a float."""
    value = number(field, getattr(option, field), interval)
    object.__setattr__(option, field, value)  # the one way to write to a frozen dataclass


def check_count(option: Option, field: str) -> None:
    """Refuse a field that is not an integer of at least one; keep it as an int."""
    object.__setattr__(option, field, integer(field, getattr(option, field), 1, LARGEST))


def check_flag(option: Option, field: str) -> None:
    """Refuse a field that is not True or False."""
    value = getattr(option, field)
    if not isinstance(value, bool) and type(value).__name__ not in ("bool", "bool_"):  # NumPy's two names
        raise TypeError(f"{field} must be True or False, not {shown(value)}")
    object.__setattr__(option, field, bool(value))


def number(name: str, value: object, interval: str) -> float:
    """Return `value` as a float that lies in `interval`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number in {interval}, not {shown(value)}")
    low, high = (float(end) for end in interval[1:-1].split(","))
    try:
        x = float(value)
    except OverflowError:  # an int beyond the range of a double
        x = float("-inf") if value < 0 else float("inf")
    above = x >= low if interval[0] == "[" else x > low
    below = x <= high if interval[-1] == "]" else x < high
    if not (above and below):  # NaN is neither
        raise ValueError(f"{name} must be a number in {interval}, not {short(value)}")
    return x


def integer(name: str, value: object, low: int, high: int) -> int:
    """Return `value` as an int from `low` to `high`; NumPy's integers count, True and 3.0 do not."""
    allowed = f"an integer from {low} to {high}"
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be {allowed}, not {shown(value)}")
    try:
        i = operator.index(value)
    except TypeError:  # an array of several numbers has __index__ too
        raise TypeError(f"{name} must be {allowed}, not {shown(value)}") from None
    if not low <= i <= high:
        raise ValueError(f"{name} must be {allowed}, not {short(i)}")
    return i


def choose(name: str, value: object, registry: Mapping[str, type[AnyOption]]) -> AnyOption:
    """Return the option that `value` means: a name from the registry, or an option of this kind itself."""
    if isinstance(value, str):
        if value not in registry:
            raise ValueError(unknown(name, value, registry))
        return registry[value]()
    for kind in registry.values():
        if type(value) is kind:
            return value
        if value is kind:
            raise TypeError(f"{name} must be an option, not its class: write {kind.__name__}(), not {kind.__name__}")
    if callable(value):
        raise TypeError(f"{name} must be a name or an option of chainrule, not {shown(value)}{OWN.get(name, '')}")
    classes = ", ".join(f"{kind.__name__}()" for kind in registry.values())
    raise TypeError(f"{name} must be one of the names {', '.join(registry)} or of {classes}, not {shown(value)}")


def from_dict(name: str, entry: object, registry: Mapping[str, type[AnyOption]], key: str = "name") -> AnyOption:
    """Return the option that `to_dict` wrote; every field must be there and nothing else."""
    if not isinstance(entry, dict) or not isinstance(entry.get(key), str):
        raise TypeError(f"{name} must be a dict with a {key!r}, not {shown(entry)}")
    if entry[key] not in registry:
        raise ValueError(unknown(name, entry[key], registry))
    kind = registry[entry[key]]
    check_keys(name, entry, [key, *field_names(kind)])
    fields = {field: kind.read(field, entry[field]) for field in field_names(kind)}
    for field, known in kind.registries().items():
        fields[field] = from_dict(f"{name}.{field}", fields[field], known)
    return kind(**fields)


def listed(values: Iterable[Any]) -> list[Any]:
    """Return the items as a list. A memoryview of several dimensions cannot be walked through, but has its own way."""
    return list(values.tolist() if isinstance(values, memoryview) else values)


def check_keys(name: str, entry: Mapping[Any, Any], expected: Iterable[str]) -> None:
    """Refuse a dict that lacks a key or has one too many."""
    expected = list(expected)
    for key in expected:
        if key not in entry:
            raise ValueError(f"{name} lacks {key!r}")
    for found in entry:
        if found not in expected:
            raise ValueError(unknown(f"key of {name}", str(found), expected))


def shown(value: object) -> str:
    """Return a value and its type as an error shows them, cut to a line.

    >>> shown(0.5), shown([1] * 100), shown(-(10**5000))
    ('0.5 (float)', '[1, 1, 1, 1, 1, 1, ...] (list)', 'about -1e5000 (int)')
    """
    return f"{short(value)} ({type(value).__name__})"


def short(value: object) -> str:
    """Return the repr of any value, cut to a line, without making the whole of it."""
    text = " ".join(SHORT.repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


class Short(reprlib.Repr):
    """A repr of large things that takes little time."""

    def repr_int(self, x: int, level: int) -> str:  # noqa: ARG002 - as in the base
        """Return the digits, or of many the size: Python refuses to write those of a huge int."""
        return repr(x) if x.bit_length() <= 128 else f"about {'-' * (x < 0)}1e{int(x.bit_length() * math.log10(2.0))}"


SHORT = Short()
SHORT.maxstring = SHORT.maxother = 240
