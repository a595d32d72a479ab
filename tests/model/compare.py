"""The domain against the model, log by log; what differs is shrunk to the few records that matter.

``python -m tests.model.compare 0 20000`` compares that range of seeds; with ``--anomalies`` it is that of the
logs of days and weeks that are made for anomalies.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from gridwatch.domain.meter.state import MeterState
from tests.model import measured, usual
from tests.model.contender import Contender
from tests.model.logs import LogMaker, Parameters
from tests.model.meters import Meter
from tests.model.reference import Reference
from tests.model.stamps import MINUTE, show
from tests.model.wire import Record

KINDS = ("validated", "late_event", "dead_letter", "gap_alert", "aggregate", "bundle", "metric", "anomaly")
FREE_TEXT = {"reason", "message"}
WORDS = {"PLANNED", "NEVER_HEARD", "REMOVED", "NOT_INSTALLED"}  # reasons that are no free text
UNCLEAR = {"UNCLEAR", "OFF_GRID", "SLOT_FILLED"}
Said = dict[str, list[dict[str, Any]]]


def difference(records: list[Record], policy: Parameters, partition: int, seed: int) -> str | None:
    """The first thing that the domain says otherwise than the model; None if they agree."""
    model: Said = {kind: [] for kind in KINDS}
    reference, contender = Reference(policy, partition), Contender(policy, partition, seed)
    outputs = reference.run(records)
    for kind, record in outputs:
        model[kind].append(json.loads(json.dumps(record)))
    domain = contender.run(records)
    controls = {record.offset for record in records if record.control is not None}
    for letter in (*model["dead_letter"], *domain["dead_letter"]):
        if letter["offset"] in controls:  # which of several bad fields is named first is left open
            del letter["field"]
    unclear = {event["id"] for event in model["late_event"] if "UNCLEAR" in event["flags"]}
    in_order = not reference.consumption.lost  # windows of a state that is dropped come with its gaps
    for kind in KINDS:
        ours, theirs = (comparable(kind, records[kind], unclear, in_order) for records in (model, domain))
        for place in range(max(len(ours), len(theirs))):
            left, right = (records[place] if place < len(records) else {} for records in (ours, theirs))
            if left != right:
                return f"{kind} {named(left or right)}: (model, domain) {apart(left, right)}"
    order = [kind for kind, _ in outputs if kind != "anomaly"]
    if in_order and order != contender.order:
        place = next(at for at, kind in enumerate(order) if contender.order[at : at + 1] != [kind])
        return f"order from output {place} on: (model, domain) {order[place:]} {contender.order[place:]}"
    differing = {"meters": (remembered(reference.meters), remembered(contender.meters))}
    return None if len(set(map(str, differing["meters"]))) == 1 else f"state: (model, domain) {differing}"


def named(record: dict[str, Any]) -> str:
    if "meter_id" in record and "length" in record:
        what = f" {record['kind']} {record['revision']}" if "kind" in record else ""
        return f"{record['meter_id']}@{show(record['start'])}/{record['length'] // MINUTE}m{what}"
    if "target" in record:
        return f"to {record['target']} at {show(record['watermark'])}"
    return str(record.get("id") or record.get("gap_id"))


def apart(left: Any, right: Any) -> Any:
    """What differs, as pairs; of lists the places that do."""
    if isinstance(left, dict) and isinstance(right, dict):
        names = [name for name in {**left, **right} if left.get(name) != right.get(name)]
        return {name: apart(left.get(name), right.get(name)) for name in names}
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = enumerate(zip(left, right, strict=True))
        return {at: apart(one, other) for at, (one, other) in pairs if one != other}
    return left, right


def remembered(meters: Mapping[str, Meter | MeterState]) -> dict[str, tuple[str, int, int]]:
    """What the pages show of each meter: last_seen, interval, late_count."""
    return {
        name: (show(meter.last_seen), meter.interval, meter.late_count)
        for name, meter in sorted(meters.items())
    }


def comparable(
    kind: str, records: list[dict[str, Any]], unclear: set[str], in_order: bool = True
) -> list[dict[str, Any]]:
    """Without free text; gaps of one record in order of their meters: within a meter their order counts."""
    if kind == "anomaly":  # several states that are dropped in one step are so in any order
        return records if in_order else sorted(records, key=lambda one: str(one["meter_id"]))
    found = [{name: value for name, value in record.items() if name not in FREE_TEXT} for record in records]
    for record, whole in zip(found, records, strict=True):
        if kind == "gap_alert" and whole.get("reason") in WORDS:
            record["word"] = whole["reason"]
        if record.get("calendar", "") is None:
            del record["calendar"]
        if kind == "late_event" and record["id"] in unclear:
            record["flags"] = [flag for flag in record["flags"] if flag not in UNCLEAR]
        if kind == "dead_letter":
            comparable_raw(record)
    if kind == "aggregate" and in_order is False:
        found.sort(key=lambda one: (one["meter_id"], one["length"], one["start"], one["revision"]))
    if kind == "gap_alert":
        found.sort(key=lambda alert: (alert["offset"], alert["meter_id"]))
    return found


def comparable_raw(letter: dict[str, Any]) -> None:
    """The model has no text of an element, only what it means."""
    try:
        letter["raw"] = repr(json.loads(letter["raw"]))
    except (ValueError, RecursionError):
        return
    del letter["raw_size"]


def shrink(records: list[Record], policy: Parameters, partition: int, seed: int) -> list[Record]:
    """As few of the records as still differ: leave out ever smaller parts for as long as that can be done."""
    part = max(1, len(records) // 2)
    while part:
        for start in range(0, len(records), part):
            fewer = records[:start] + records[start + part :]
            if difference(fewer, policy, partition, seed):
                records = fewer
                break
        else:
            part //= 2
    return records


def check(
    seed: int, maker_of: Callable[[int], LogMaker | usual.UsualLogMaker] = measured.maker_of
) -> str | None:
    """The log of `seed` compared; a report with the shrunk log if the domain differs."""
    maker = maker_of(seed)
    records = maker.make()
    if difference(records, maker.policy, maker.partition, seed) is None:
        return None
    few = shrink(records, maker.policy, maker.partition, seed)
    lines = [f"log {seed}: {difference(few, maker.policy, maker.partition, seed)}", f"  {maker.policy}"]
    for record in few:
        value = (record.value or b"")[:600].decode("utf-8", "replace")
        kind = f"tick (end {record.end!r})" if record.tick else record.control or ""
        kind += "" if record.version == b"1" else f" version {record.version!r}"
        lines.append(f"  {record.offset} {show(record.timestamp)} {kind} {value}")
    return "\n".join(lines)


def main() -> int:
    first, last = (int(word) for word in sys.argv[1:] if word != "--anomalies")
    maker_of = usual.UsualLogMaker if "--anomalies" in sys.argv else measured.maker_of
    differing = 0
    for seed in range(first, last):
        report = check(seed, maker_of)
        if report:
            differing += 1
            print(report, flush=True)
        if (seed + 1 - first) % 500 == 0 or seed + 1 == last:
            print(f"{seed + 1 - first} logs, {differing} differ", flush=True)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
