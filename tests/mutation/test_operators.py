"""The mutants of a file: what is changed and how, and that each is a program of its own."""

from __future__ import annotations

import ast
import inspect
from types import ModuleType

import pytest

from gridwatch.domain.meter import gaps, grid
from gridwatch.domain.partition import reporting
from tests.mutation.operators import mutants_of


def changed(source: str) -> set[str]:
    """What the source becomes, one change at a time."""
    return {ast.unparse(ast.parse(mutant.applied(source))) for mutant in mutants_of(source)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", {"a <= b"}),
        ("a >= b", {"a > b"}),
        ("a <= b < c", {"a < b < c", "a <= b <= c"}),
        ("a is None", {"a is not None"}),
        ("a in b", {"a not in b"}),
        ("a - b", {"a + b", "a"}),
        ("a // b", {"a * b"}),
        ("a and b", {"a or b", "a", "b"}),
        ("a or b or c", {"a and b and c", "b or c", "a or c", "a or b"}),
        ("not a", {"a"}),
        ("-a", {"a"}),
        ("x = 7", {"x = 8", "x = 6"}),
        ("x = 0.5", {"x = 1.5", "x = -0.5"}),
        ("x = True", {"x = False"}),
        ("min(a, b)", {"max(a, b)", "pass"}),
        ("x = any(a)", {"x = all(a)"}),
        ("x = b if a else c", {"x = b if not a else c"}),
        ("x = [a for a in b if a]", {"x = [a for a in b if not a]"}),
        ("a += b", {"a -= b", "pass"}),
        ("a |= b", {"pass"}),
        ("a.b = c", {"pass"}),
        ("a[b] = c", {"pass"}),
        ("a(b)", {"pass"}),
        ("if a:\n    b()", {"if not a:\n    b()", "if a:\n    pass"}),
        ("while a.b:\n    break", {"while not a.b:\n    break", "while a.b:\n    pass"}),
        ("for a in b:\n    continue", {"for a in b:\n    pass"}),
        ("def f():\n    return", {"def f():\n    pass"}),
        ("x = 'é' + (\n    a\n)", {"x = 'é' - a", "x = 'é'"}),
    ],
)
def test_each_change_is_made_once(source: str, expected: set[str]) -> None:
    assert changed(source) == expected
    assert len(mutants_of(source)) == len(expected)


@pytest.mark.parametrize(
    "source",
    [
        "x: int | None = a",
        "X: TypeAlias = int | str",
        "def f(a: int | None) -> int | None:\n    return a",
        "@cache(maxsize=5)\ndef f():\n    return a",
        "zip(a, b, strict=True) == c",
        "'''A text.'''",
        "x = f'{a + 1}'",
    ],
)
def test_what_no_test_could_notice_stays_as_it_is(source: str) -> None:
    assert changed(source) <= {"zip(a, b, strict=True) != c"}


@pytest.mark.parametrize("module", [gaps, grid, reporting])
def test_every_mutant_of_real_code_parses_and_is_another_program(module: ModuleType) -> None:
    source = inspect.getsource(module)
    original = ast.dump(ast.parse(source))
    for mutant in mutants_of(source):
        assert ast.dump(ast.parse(mutant.applied(source))) != original, mutant
