"""The description of a setting (bounds, help, unit, live or fork mark), and how to list settings.

Every struct of `config` and `catalog` annotates its fields with `setting(...)`. The form, the
command line and the validation all read that one description, so no setting is written twice.
"""

from __future__ import annotations

import math
import types
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

SMALLEST = 1e-30
"""The least value of a number that must be above 0.

A bound like "above 0" would be the smallest number of all, which is denormal. A thread that flushes denormal numbers
(training does) takes it for 0, and so would accept 0. This one is a normal number even in float32.
"""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every settings struct: frozen, keyword-only, unknown fields are errors."""


def setting(
    help: str,
    *,
    label: str = "",
    unit: str = "",
    live: bool = False,
    log: bool = False,
    advanced: bool = False,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    pattern: str | None = None,
) -> msgspec.Meta:
    """Describe one setting.

    Args:
        help: one or two sentences; for a number, what happens when it is raised.
        label: short name in the form; by default made from the field's name.
        unit: unit shown beside the value.
        live: may change while a run trains; everything else needs a fork.
        log: the slider moves on a logarithmic scale.
        gt: of a float, 0 stands for `SMALLEST`, so that the bound holds in every thread.
        advanced: the form hides it until the user shows the advanced settings.
    """
    if gt == 0:
        ge, gt = SMALLEST, None
    bounds: dict[str, Any] = {"ge": ge, "gt": gt, "le": le, "lt": lt, "pattern": pattern}
    return msgspec.Meta(
        title=label or None,
        description=help,
        extra={"unit": unit, "live": live, "log": log, "advanced": advanced},
        **{name: bound for name, bound in bounds.items() if bound is not None},
    )


class Field(msgspec.Struct, frozen=True):
    """One setting as the form and the validation see it.

    Attributes:
        path: dotted name, `learn.lr`.
        kind: `bool`, `int`, `float`, `str`, `choice`, `list` or `map`.
        scheduled: may also be a schedule, a struct that stands for a number which changes with the steps.
        type: the bare Python type (without annotation or None).
        default: the value of a fresh struct; `msgspec.NODEFAULT` where there is none.
        choices: allowed values of a `choice`, in order.
        low, high: bounds; `low_open` when the lower bound itself is excluded.
    """

    path: str
    label: str
    help: str
    kind: str
    type: Any
    default: Any
    optional: bool = False
    choices: tuple[Any, ...] = ()
    scheduled: bool = False
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    unit: str = ""
    live: bool = False
    log: bool = False
    advanced: bool = False

    @property
    def name(self) -> str:
        return self.path.rsplit(".", 1)[-1]


_KINDS = {bool: "bool", int: "int", float: "float", str: "str", dict: "map", tuple: "list", list: "list"}


@cache  # reading annotations takes milliseconds
def fields_of(struct: type[msgspec.Struct], prefix: str = "") -> tuple[Field, ...]:
    """Every setting of a struct, in its order; nested `Options` are entered."""
    return tuple(_fields_of(struct, prefix))


def _fields_of(struct: type[msgspec.Struct], prefix: str) -> Iterator[Field]:
    hints = get_type_hints(struct, include_extras=True)
    for raw in msgspec.structs.fields(struct):
        path = f"{prefix}{raw.name}"
        hint, meta = _strip(hints[raw.name])
        optional = scheduled = False
        bounds = meta
        if get_origin(hint) in (Union, types.UnionType):
            members = [arg for arg in get_args(hint) if arg is not type(None)]
            optional = len(members) < len(get_args(hint))
            plain = [member for member in members if not getattr(member, "atomic", False)]
            scheduled = len(plain) < len(members)
            hint, inner = _strip(plain[0])
            bounds = inner or meta
            meta = meta or inner
        if isinstance(hint, type) and issubclass(hint, Options):
            yield from fields_of(hint, f"{path}.")
            continue
        default = raw.default
        if default is msgspec.NODEFAULT and raw.default_factory is not msgspec.NODEFAULT:
            default = raw.default_factory()
        yield _field(path, hint, meta, bounds, default, optional, scheduled)


def _strip(hint: Any) -> tuple[Any, msgspec.Meta | None]:
    if get_origin(hint) is Annotated:
        base, *metas = get_args(hint)
        return base, next((meta for meta in metas if isinstance(meta, msgspec.Meta)), None)
    return hint, None


def _field(
    path: str,
    hint: Any,
    meta: msgspec.Meta | None,
    bounds: msgspec.Meta | None,
    default: Any,
    optional: bool,
    scheduled: bool,
) -> Field:
    choices: tuple[Any, ...] = ()
    bare = get_origin(hint) or hint
    if bare is Literal:
        kind, choices, bare = "choice", get_args(hint), type(get_args(hint)[0])
    else:
        kind = _KINDS[bare]
    meta, bounds = meta or msgspec.Meta(), bounds or msgspec.Meta()
    extra = meta.extra or {}
    low = bounds.ge if bounds.ge is not None else bounds.gt
    above_zero = low == SMALLEST
    high = bounds.le if bounds.le is not None else bounds.lt
    return Field(
        path=path,
        label=meta.title or path.rsplit(".", 1)[-1].replace("_", " ").capitalize(),
        help=meta.description or "",
        kind=kind,
        type=bare,
        default=default,
        optional=optional,
        choices=choices,
        scheduled=scheduled,
        low=0.0 if above_zero else low,
        high=high,
        low_open=above_zero or bounds.gt is not None,
        unit=extra.get("unit", ""),
        live=extra.get("live", False),
        log=extra.get("log", False),
        advanced=extra.get("advanced", False),
    )


def first_not_finite(value: Any, path: str) -> str | None:
    """The path of the first NaN or infinity inside plain data, or None."""
    if isinstance(value, float):
        return None if math.isfinite(value) else path
    items: Any = ()
    if isinstance(value, dict):
        items = ((f"{path}.{key}" if path else str(key), item) for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        items = ((f"{path}[{index}]", item) for index, item in enumerate(value))
    return next((bad for name, item in items if (bad := first_not_finite(item, name))), None)
