"""Selection: the expressions of `-k`, as pytest's, over the ids of checks."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

Predicate: TypeAlias = Callable[[str], bool]

_TOKEN = re.compile(r"[()]|[^\s()]+")


class SelectionError(ValueError):
    """An expression that cannot be read; the message says where."""


def parse(expression: str) -> Predicate:
    """The predicate on check ids that an expression of `-k` means.

    A word holds for the ids that contain it, in any case of letters. Words are combined
    by `not`, `and`, `or` and parentheses, in this order of precedence; words that merely
    stand side by side must all hold.

    Raises:
      SelectionError: it is empty or not well formed.
    """
    tokens = _TOKEN.findall(expression)
    if not tokens:
        raise SelectionError("the expression is empty")
    predicate, rest = _alternatives(tokens)
    if rest:
        raise SelectionError(f"{rest[0]!r} closes nothing in {expression!r}")
    return lambda check_id: predicate(check_id.lower())


def _alternatives(tokens: list[str]) -> tuple[Predicate, list[str]]:
    predicate, tokens = _conjunction(tokens)
    while tokens and tokens[0] == "or":
        right, tokens = _conjunction(tokens[1:])
        predicate = _either(predicate, right)
    return predicate, tokens


def _conjunction(tokens: list[str]) -> tuple[Predicate, list[str]]:
    predicate, tokens = _negation(tokens)
    while tokens and tokens[0] not in ("or", ")"):
        right, tokens = _negation(tokens[1:] if tokens[0] == "and" else tokens)
        predicate = _both(predicate, right)
    return predicate, tokens


def _negation(tokens: list[str]) -> tuple[Predicate, list[str]]:
    if not tokens or tokens[0] in ("and", "or", ")"):
        found = repr(tokens[0]) if tokens else "the end"
        raise SelectionError(f"a word was expected, not {found}")
    first, rest = tokens[0], tokens[1:]
    if first == "not":
        operand, rest = _negation(rest)
        return _opposite(operand), rest
    if first == "(":
        inner, rest = _alternatives(rest)
        if not rest:
            raise SelectionError("a parenthesis is not closed")
        return inner, rest[1:]
    return _contains(first.lower()), rest


def _contains(word: str) -> Predicate:
    return lambda check_id: word in check_id


def _opposite(operand: Predicate) -> Predicate:
    return lambda check_id: not operand(check_id)


def _both(left: Predicate, right: Predicate) -> Predicate:
    return lambda check_id: left(check_id) and right(check_id)


def _either(left: Predicate, right: Predicate) -> Predicate:
    return lambda check_id: left(check_id) or right(check_id)
