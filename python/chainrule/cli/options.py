"""The command line's notation for a network's options: ``--optimizer sgd:momentum=0.9,nesterov=true``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from chainrule.reference.options import Option


class Named(click.ParamType[Any]):
    """An option of a registry: its name, then any fields."""

    name = "name"

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's form
        """Return the names that begin so."""
        from chainrule.reference.config import REGISTRIES

        return [CompletionItem(name) for name in REGISTRIES[self.kind] if name.startswith(incomplete)]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Option:
        """Return the option object that the text describes."""
        from chainrule.reference.config import REGISTRIES
        from chainrule.reference.spelling import unknown

        registry = REGISTRIES[self.kind]
        name, _, rest = str(value).partition(":")
        if name not in registry:
            self.fail(unknown(self.kind, name, registry), param, ctx)
        kind = registry[name]
        fields = {field.name: field.default for field in dataclasses.fields(kind)}
        given: dict[str, Any] = {}
        for part in filter(None, rest.split(",")):
            field, equals, text = part.partition("=")
            if field not in fields:
                what = (
                    unknown(f"field of {name}", field, fields) if fields else f"{name} has no fields, such as {field!r}"
                )
                self.fail(what, param, ctx)
            if not equals:
                self.fail(f"{part!r} must be {field}=VALUE", param, ctx)
            given[field] = self.value(field, text, fields[field], param, ctx)
        try:
            return kind(**given)
        except (TypeError, ValueError) as error:
            self.fail(str(error), param, ctx)

    def value(
        self, field: str, text: str, default: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """Parse a field's value as the type of its default."""
        if isinstance(default, bool):
            if text.lower() not in ("true", "false"):
                self.fail(f"{field} must be true or false, not {text!r}", param, ctx)
            return text.lower() == "true"
        try:
            return float(text)
        except ValueError:
            self.fail(f"{field} must be a number, not {text!r}", param, ctx)


class Hidden(click.ParamType[Any]):
    """Units of the hidden layers, separated by commas, or "none"."""

    name = "units"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Return the units."""
        if isinstance(value, tuple):
            return value
        if value == "none":
            return ()
        units = [part.strip() for part in str(value).split(",")]
        if not all(part.isascii() and part.isdigit() and 0 < int(part) < 2**31 for part in units):
            self.fail(f"{value!r} is not units separated by commas, such as 100,50 (or none)", param, ctx)
        return tuple(map(int, units))


class Number(click.ParamType[float]):
    """A number in an interval such as "[0, 1)", checked as the package itself checks it."""

    name = "number"

    def __init__(self, interval: str) -> None:
        self.interval = interval

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        from chainrule.reference.options import number

        try:
            return number("it", float(value), self.interval)
        except ValueError:
            self.fail(f"{value!r} is not a number in {self.interval}", param, ctx)
