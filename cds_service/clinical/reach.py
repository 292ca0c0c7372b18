"""What the code of a rule can reach: every function of ours it may run, and the words written in it.

A function is followed by its global name, as an attribute of one of our modules, in a table, in a closure, as a member of
a class of ours, as another rule that is asked, and as a fact of the patient (`p.age`), declared by the rule or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum
from functools import cached_property, lru_cache
from types import CodeType, FunctionType, ModuleType

from cds_service.clinical.patient import Patient
from cds_service.kernel.rules import Rule

_OURS = "cds_service.clinical"
_MANY = 8192


def reachable(rule: Rule, *, other_rules: bool = True) -> Iterator[FunctionType]:
    """The functions of ours that can be run when the rule is asked, its own first; those of rules it asks, or not."""
    seen: set[FunctionType] = set()
    waiting = list(_functions(rule.decide, other_rules=other_rules))
    while waiting:
        function = waiting.pop()
        if function not in seen:
            seen.add(function)
            yield function
            waiting.extend(_called(function, other_rules))


def name_of(function: FunctionType) -> str:
    """Module and name where its code stands; a decorated function still calls itself by the name of what it decorates."""
    return f"{function.__globals__['__name__']}.{function.__code__.co_qualname}"


@lru_cache(maxsize=_MANY)
def names_in(function: FunctionType) -> frozenset[str]:
    """Every name a function uses, those of functions within it included."""
    return frozenset(name for code in _codes(function.__code__) for name in code.co_names)


@lru_cache(maxsize=_MANY)
def words_in(function: FunctionType) -> frozenset[str]:
    """The strings written in a function, and those in the constants and closures it uses."""
    named = [function.__globals__.get(name) for name in names_in(function)]
    written = [code.co_consts for code in _codes(function.__code__)]
    return frozenset(_strings((*written, *named, *_closed_over(function))))


@lru_cache(maxsize=_MANY)
def constants_in(function: FunctionType) -> tuple[tuple[str, str], ...]:
    """The constants that a function names or closes over, with their values in a form that stays the same."""
    named = ((f"{function.__module__}.{name}", function.__globals__.get(name)) for name in sorted(names_in(function)))
    free = (f"{name_of(function)}.{name}" for name in function.__code__.co_freevars)
    closed = zip(free, _closed_over(function), strict=True)
    return tuple((name, told) for name, value in (*named, *closed) if (told := _as_text(value)))


def _as_text(value: object) -> str:
    """A number, text, pattern or member of an enumeration, or a table of those; empty for anything else."""
    if isinstance(value, re.Pattern):
        return f"{value.pattern!r} {value.flags}"
    if isinstance(value, Enum):
        return str(value)
    if isinstance(value, bool | int | str | Decimal) or value is None:
        return repr(value) if value is not None else ""
    if isinstance(value, dict):
        pairs = [(_as_text(key) or repr(key), _as_text(each)) for key, each in value.items()]
        return str(sorted(pairs)) if all(each for _, each in pairs) else ""
    if isinstance(value, tuple | list | frozenset | set):
        parts = [_as_text(each) for each in value]
        ordered = sorted(parts) if isinstance(value, frozenset | set) else parts
        return str(ordered) if parts and all(parts) else ""
    return ""


@lru_cache(maxsize=_MANY)
def _called(function: FunctionType, other_rules: bool) -> tuple[FunctionType, ...]:
    found = (each for value in _named(function) for each in _functions(value, other_rules=other_rules))
    return tuple(dict.fromkeys(found))


def _named(function: FunctionType) -> Iterator[object]:
    """Everything a function names or closes over."""
    names = names_in(function)
    yield from _closed_over(function)
    for name in names:
        value = function.__globals__.get(name)
        yield from (value, vars(Patient).get(name))
        if isinstance(value, ModuleType) and value.__name__.startswith(_OURS):
            yield from (vars(value).get(attribute) for attribute in names)


def _functions(value: object, *, other_rules: bool) -> Iterator[FunctionType]:
    """The functions of ours in a value; those behind a decorator, `cached_property` and `property`."""
    if isinstance(value, Rule):
        value = value.decide if other_rules else None
    value = value.func if isinstance(value, cached_property) else value
    value = value.fget if isinstance(value, property) else value
    if isinstance(value, FunctionType) and value.__globals__["__name__"].startswith(_OURS):
        yield value
    if (decorated := getattr(value, "__wrapped__", None)) is not None:
        yield from _functions(decorated, other_rules=other_rules)
    for each in _held(value):
        yield from _functions(each, other_rules=other_rules)


def _held(value: object) -> Iterable[object]:
    """What a table or a class of ours holds. The patient has every fact: those are followed one by one."""
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, type) and value is not Patient and value.__module__.startswith(_OURS):
        return vars(value).values()
    return value if isinstance(value, tuple | list) else ()


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def _closed_over(function: FunctionType) -> tuple[object, ...]:
    return tuple(cell.cell_contents for cell in function.__closure__ or ())


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _strings((*value.keys(), *value.values()))
    elif isinstance(value, tuple | list | frozenset | set):
        for each in value:
            yield from _strings(each)
