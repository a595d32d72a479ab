"""Nothing new enters the straight path of clean readings: nearly every reading pays for what is there.

``Processor._run`` is taken apart: statements by kind, conditions and comparisons, what is called and what is
set. More than is listed here is a failure. What has gone is to be taken off the list.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

import gridwatch.domain.partition

SOURCE = (Path(gridwatch.domain.partition.__file__).parent / "processor.py").read_text()

INSTEAD = """the straight path of domain/partition/processor.py is closed: it may not grow. A new rule
- subscribes to accepted readings (Outcome.accepted; class Accepted in domain/outputs.py), or
- clears MeterState.calm while it watches a meter (update_calm in domain/meter/state.py), so that its readings
  go through Stepper."""

CONDITIONS = {
    "condition": 36,
    "comparison": 22,
    "call of abs": 1,
    "call of agree": 1,
    "call of float": 2,
    "call of sent_at.isprintable": 1,
    "call of tolerance_of": 1,
    "call of rounded": 2,
}
STRAIGHT = {
    "Assign": 19,
    "AugAssign": 4,
    "Expr": 2,
    "If": 9,
    "condition": 4,
    "comparison": 10,
    "call of clean.append": 1,
    "call of emit": 1,
    "call of int": 1,
    "call of meter.weight": 1,
    "call of packed": 1,
    "call of short_grace": 1,
    "call of since": 1,
    "call of terms.admit": 1,
    "call of window_at": 1,
    "setting of bench.weight": 1,
    "setting of changed[meter_id]": 1,
    "setting of meter.cursor": 1,
    "setting of meter.due": 1,
    "setting of meter.last_seen": 1,
    "setting of meter.last_slot": 1,
    "setting of meter.recent": 1,
    "setting of part.highest": 1,
    "setting of part.watermark": 1,
    "setting of raw.consumption_kwh": 1,
    "setting of window.active": 1,
    "setting of window.changed": 1,
    "setting of window.micro_kwh": 1,
    "setting of window.on_time": 1,
}
EVERY_READING = {
    "AnnAssign": 1,
    "Assign": 21,
    "AugAssign": 1,
    "Continue": 3,
    "Expr": 4,
    "For": 1,
    "If": 14,
    "Return": 3,
    "Try": 1,
    "While": 1,
    "condition": 11,
    "comparison": 13,
    "call of changed.get": 1,
    "call of decode": 1,
    "call of instants.get": 1,
    "call of isinstance": 1,
    "call of len": 2,
    "call of meters.get": 1,
    "call of reception.open": 1,
    "call of self._others": 1,
    "call of stamps.instant": 1,
    "call of step.element": 2,
    "call of step.finish_step": 2,
    "call of step.control": 1,
    "call of value.decode": 1,
    "call of value.isascii": 1,
    "setting of part.done": 4,
    "setting of part.index": 4,
    "setting of part.offset": 1,
    "setting of part.reading_time": 1,
    "setting of part.record_time": 1,
    "setting of part.replayed": 1,
}
LISTED = {"conditions": CONDITIONS, "straight": STRAIGHT, "every reading": EVERY_READING}


def parts(source: str) -> dict[str, Counter[str]]:
    """What the conditions of a clean reading consist of, what is done with one, and the loop around both."""
    tree = ast.parse(source)
    (run,) = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "_run"]
    (loop,) = [node for node in run.body if isinstance(node, ast.For)]
    (clean,) = [
        node for node in ast.walk(loop) if isinstance(node, ast.If) and "meter.calm" in ast.unparse(node.test)
    ]
    conditions, straight = counted([clean.test]), counted(clean.body)
    whole = counted([loop])
    return {
        "conditions": conditions,
        "straight": straight,
        "every reading": whole - conditions - straight,
    }


def counted(roots: Iterable[ast.AST]) -> Counter[str]:
    count: Counter[str] = Counter()
    for node in (node for root in roots for node in ast.walk(root)):
        if isinstance(node, ast.BoolOp):
            count["condition"] += len(node.values)
        elif isinstance(node, ast.Compare):
            count["comparison"] += len(node.ops)
        elif isinstance(node, ast.Call):
            count[f"call of {ast.unparse(node.func)}"] += 1
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
            count[f"setting of {ast.unparse(node)}"] += 1
        elif isinstance(node, ast.stmt):
            count[type(node).__name__] += 1
    return count


def grown(source: str) -> dict[str, Mapping[str, int]]:
    """What is more in it than is listed, by part."""
    more = {part: count - Counter(LISTED[part]) for part, count in parts(source).items()}
    return {part: dict(count) for part, count in more.items() if count}


def test_nothing_has_entered_it() -> None:
    assert not grown(SOURCE), f"{grown(SOURCE)}: {INSTEAD}"


@pytest.mark.parametrize("part", LISTED)
def test_nothing_is_listed_that_has_gone(part: str) -> None:
    gone = Counter(LISTED[part]) - parts(SOURCE)[part]
    assert not gone, f"take it off the list of {part!r}, so that it does not come back: {dict(gone)}"


@pytest.mark.parametrize(
    ("before", "new", "part"),
    [
        ("and raw.flags is None", "and not meter.watched", "conditions"),
        ("and raw.flags is None", "and kwh < meter.usual", "conditions"),
        ("window.changed = True", "meter.sum = kwh", "straight"),
        ("window.changed = True", "baselines[meter_id] = kwh", "straight"),
        ("window.changed = True", "window.on_time += 1", "straight"),
        ("window.changed = True", "usual = kwh * 2", "straight"),
        ("window.changed = True", "learn(meter, kwh)", "straight"),
        ("window.changed = True", "baseline.take(raw)", "straight"),
        ("window.changed = True", "del region", "straight"),
        ("index += 1", "step.learn(record)", "every reading"),
        ("index += 1", "region = None", "every reading"),
        ("part.record_time = stamped", "part.readings += count", "every reading"),
    ],
)
def test_whatever_enters_it_is_noticed(before: str, new: str, part: str) -> None:
    (line,) = [line for line in SOURCE.splitlines() if line.strip() == before]
    indent = line[: -len(before)]
    source = SOURCE.replace(line, f"{indent}{new}\n{line}")
    assert list(grown(source)) == [part]
