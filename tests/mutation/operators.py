"""Mutants: every small change that is made to a source file, one at a time.

- a comparison: ``<`` and ``<=``, ``>`` and ``>=`` take each other's place; the others are negated
- arithmetic: another operator; of a sum or difference also the left side alone
- ``and`` and ``or`` take each other's place; each operand is left out once
- a condition that is a plain name, attribute or call is negated; ``not`` and the sign are left out
- numbers one more and one less, ``True`` and ``False``; ``min`` and ``max``, ``any`` and ``all``
- a ``return`` without value, ``continue``, ``break``, a call for its effect, an ``x += 1`` or an assignment
  to an attribute or item is left out; ``+=`` becomes ``-=`` and back

Types, docstrings, texts and the parts of f-strings stay as they are.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final, NamedTuple

_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}
_NAMES: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
_FIXED: Final = {"annotation", "returns", "decorator_list"}
_PLAIN: Final = (ast.Name, ast.Attribute, ast.Call)


class Mutant(NamedTuple):
    """One change to one file: the source between two offsets (bytes of UTF-8) is replaced."""

    line: int
    before: str
    after: str
    start: int
    stop: int

    def applied(self, source: str) -> str:
        """``source`` with the change."""
        data = source.encode()
        return (data[: self.start] + self.after.encode() + data[self.stop :]).decode()


def mutants_of(source: str) -> list[Mutant]:
    """Every mutant of a file, in order of its lines; each of them parses."""
    data, lines = source.encode(), [0]
    for line in data.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    found = []
    for node, condition in _nodes(ast.parse(source)):
        start = lines[node.lineno - 1] + node.col_offset
        stop = lines[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        changes = list(_changes(node))
        if condition and isinstance(node, _PLAIN):
            changes.append(ast.UnaryOp(ast.Not(), node))
        for change in changes:
            after = f"({ast.unparse(change)})" if isinstance(change, ast.expr) else ast.unparse(change)
            found.append(Mutant(node.lineno, data[start:stop].decode(), after, start, stop))
    return sorted(found, key=lambda mutant: (mutant.start, mutant.stop))


def _nodes(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, bool]]:
    """The expressions and statements below ``node`` that may be changed, and whether each is a condition."""
    for name, value in ast.iter_fields(node):
        if name in _FIXED or isinstance(node, ast.JoinedStr) or (name == "value" and _is_type_or_check(node)):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, (ast.expr, ast.stmt)):
                yield child, name in {"test", "ifs"}
            if isinstance(child, ast.AST):
                yield from _nodes(child)


def _is_type_or_check(node: ast.AST) -> bool:
    """Whether the value of ``node`` is a type, or the ``strict`` of a ``zip`` of equally long parts."""
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.annotation) == "TypeAlias"
    return isinstance(node, ast.keyword) and node.arg == "strict"


def _changes(node: ast.expr | ast.stmt) -> Iterator[ast.expr | ast.stmt]:
    """What may stand in the place of ``node``."""
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            other = _COMPARISONS[type(operator)]()
            yield ast.Compare(node.left, [*node.ops[:place], other, *node.ops[place + 1 :]], node.comparators)
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        yield ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)
        if isinstance(node.op, (ast.Add, ast.Sub)):
            yield node.left
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        for place in range(len(node.values)):
            left = [*node.values[:place], *node.values[place + 1 :]]
            yield ast.BoolOp(node.op, left) if len(left) > 1 else left[0]
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _NAMES:
        yield ast.Call(ast.Name(_NAMES[node.func.id]), node.args, node.keywords)
    elif isinstance(node, ast.stmt):
        yield from _statements(node)


def _constants(value: object) -> Iterator[ast.expr]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield ast.Constant(value + 1)
        yield ast.Constant(value - 1)


def _statements(node: ast.stmt) -> Iterator[ast.stmt]:
    if isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Add, ast.Sub)):
        yield ast.AugAssign(node.target, _ARITHMETIC[type(node.op)](), node.value)
    if _can_be_left_out(node):
        yield ast.Pass()


def _can_be_left_out(node: ast.stmt) -> bool:
    if isinstance(node, ast.Return):
        return node.value is None
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    if isinstance(node, ast.Assign):
        return isinstance(node.targets[0], (ast.Attribute, ast.Subscript))
    return isinstance(node, (ast.Continue, ast.Break, ast.AugAssign))
