"""The benchmarks' own logic: what a figure may count, and what is made of figures."""

from __future__ import annotations

import inspect
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import islice
from pathlib import Path

import psutil
import pytest

from benchmarks import quick
from benchmarks.measuring import stages
from benchmarks.measuring.percentiles import percentile, steady
from benchmarks.peers.rules import Rules, State, judge
from benchmarks.race import comparison, race
from benchmarks.race.contestants import BYTEWAX, CONTESTANTS, FLOOR, GRIDWATCH, GRIDWATCH_COMPILED
from benchmarks.race.environments import NotInstallable
from benchmarks.race.race import Result
from benchmarks.race.readings import Outputs, Record, readings
from benchmarks.reporting import capacity, charts, figures, published, report
from gridwatch.codecs.decode import decode_readings
from gridwatch.codecs.wire import encode_outputs
from gridwatch.domain.outputs import Validated
from gridwatch.domain.partition import processor
from gridwatch.domain.partition.processor import Processor
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.policy import SECOND, Policy
from gridwatch.domain.reading import LogRecord
from gridwatch.topics import VALIDATED

MINUTE_IN_2026 = 1_767_225_600_000_000


def outputs_of(*records: Record) -> Outputs:
    whole = Outputs()
    for record in records:
        whole.add(record)
    return whole


A = Record("A", "2024-01-01T00:00:00Z", "OK", 1.0, 0.0)
B = Record("B", "2024-01-01T00:00:00Z", "LATE", 1.0, 20.0)


def test_the_order_of_outputs_does_not_matter() -> None:
    assert outputs_of(A, B) == outputs_of(B, A)


@pytest.mark.parametrize(
    "other",
    [
        outputs_of(A),
        outputs_of(A, A),
        outputs_of(A, B, B),
        outputs_of(A, Record("B", B.timestamp, "OK", 1.0, 20.0)),
        outputs_of(A, Record("B", B.timestamp, "LATE", 1.5, 20.0)),
        outputs_of(A, Record("B", B.timestamp, "LATE", 1.0, 21.0)),
    ],
)
def test_outputs_that_miss_repeat_or_change_one_are_not_equal(other: Outputs) -> None:
    assert other != outputs_of(A, B)


def test_the_peers_rules_give_the_results_of_gridwatch() -> None:
    class NoMeters:
        def get(self, meter_id: str) -> None:
            return None

    states: dict[str, State] = {}
    rules = Rules()
    expected, ours = Outputs(), Outputs()
    log = []
    for offset, (name, value) in enumerate(islice(readings(6000, 200), 6000)):
        log.append(LogRecord(offset, MINUTE_IN_2026, value))
        reading = decode_readings(value)
        assert not isinstance(reading, list)
        fields = {"timestamp": reading.timestamp, "interval_minutes": 30}
        states[name], validated = judge(fields, *rules.place(0, fields), states.get(name))
        expected.add(
            Record(
                name,
                reading.timestamp,
                validated["status"],
                reading.consumption_kwh,
                validated["delay_seconds"],
            )
        )
    outcome = Processor(Policy(partitions=1), PartitionState(0), NoMeters(), decode=decode_readings).process(
        log
    )
    for output in outcome.outputs:
        if isinstance(output, Validated):
            raw = output.reading
            ours.add(
                Record(raw.meter_id, raw.timestamp, output.status, raw.consumption_kwh, output.delay / SECOND)
            )
    assert "0 of them late" not in str(expected)
    assert str(ours) == str(expected)
    assert ours == expected
    assert len(encode_outputs(outcome.outputs)[VALIDATED.name]) == expected.count


def test_each_contestant_runs_once_per_round_and_starts_it_in_turn() -> None:
    order = race.interleaved([FLOOR, GRIDWATCH], 3)
    assert [(number, one.name) for number, one in order] == [
        (1, "floor"),
        (1, "gridwatch"),
        (2, "gridwatch"),
        (2, "floor"),
        (3, "floor"),
        (3, "gridwatch"),
    ]


BURN = "import time\nwhile time.process_time() < 0.3: pass"


def test_cpu_time_of_ended_children_is_counted() -> None:
    script = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}]); print('done', flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script + "; input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
        assert race.cpu_seconds(psutil.Process(process.pid)) >= 0.28
        assert race.memory(psutil.Process(process.pid)) > 1_000_000
        process.communicate("\n")


def result(rate: float, readings_done: int = 1000) -> Result:
    return Result("one", readings_done, readings_done / rate, 2.0, 50 * 1024 * 1024, 0, 0.1, 0.5, 0.2)


def test_ratios_are_computed_round_by_round() -> None:
    ratio = report.ratios([10.0, 40.0, 30.0], [10.0, 20.0, 10.0])
    assert (ratio.median, ratio.low, ratio.high) == (2.0, 1.0, 3.0)


def test_the_rate_between_two_sizes_excludes_the_start() -> None:
    small = [Result("one", 1000, 1.1, 2.0, 1, 0, 0.1, 0.5, 0.2)]
    large = [Result("one", 11_000, 2.1, 2.0, 1, 0, 0.1, 0.5, 0.2)]
    noise = [Result("one", 1100, 1.2, 2.0, 1, 0, 0.1, 0.5, 0.2)]
    assert report.marginal(small, large) == pytest.approx(10_000)
    assert report.marginal(small, noise) is None


def test_a_comparison_shows_every_contestant_and_the_skipped_ones() -> None:
    runs = {"floor": [result(100.0), result(110.0)], "gridwatch": [result(80.0), result(90.0)]}
    comparison = report.Comparison(
        1000, 1000, 6, [FLOOR, GRIDWATCH], runs, runs, {}, {"Bytewax": "no wheel for this Python"}
    ).as_json()
    table = report.markdown(comparison)
    rows = {row["contestant"]: row for row in comparison["rows"]}
    assert rows["gridwatch"]["of_floor"]["median"] == pytest.approx((80 / 100 + 90 / 110) / 2)
    assert rows["gridwatch"]["gridwatch_is"]["median"] == 1.0
    assert rows["gridwatch"]["compiled_is"] is None
    assert FLOOR.title in table
    assert "Left out: Bytewax (no wheel for this Python)" in table
    assert ET.fromstring(report.picture([comparison])).tag.endswith("svg")


def test_a_comparison_shows_the_speedup_of_the_compiled_one() -> None:
    runs = {"floor": [result(100.0)], "gridwatch": [result(50.0)], "gridwatch-compiled": [result(75.0)]}
    contestants = [FLOOR, GRIDWATCH, GRIDWATCH_COMPILED]
    rows = report.Comparison(1000, 1000, 6, contestants, runs, runs, {}, {}).rows()
    assert [row["compiled_is"]["median"] for row in rows] == [0.75, 1.5, 1.0]


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(value) for value in range(1, 101)]
    assert percentile(values, 0.50) == 50.0
    assert percentile(values, 0.99) == 99.0
    assert percentile([7.0], 0.99) == 7.0
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_only_what_is_sent_in_the_last_two_thirds_of_the_time_counts() -> None:
    arrived = [(0, 9_000_000), (1_900_000, 3_900_000), (2_000_000, 2_002_000), (8_000_000, 8_005_000)]
    assert steady(arrived, 9.0) == [2.0, 5.0]


RUN = "gridwatch.domain.partition.processor:_run"
LOOP = "m:main;mode.worker:execute_from_commandline;asyncio.base_events:_run_once;"


@pytest.mark.parametrize(
    ("stack", "stage"),
    [
        (LOOP + f"gridwatch.streaming.stage.pipeline:work;{RUN}", "domain"),
        (LOOP + f"{RUN};gridwatch.codecs.decode:decode_readings", "decode"),
        (LOOP + "gridwatch.streaming.stage.pipeline:_commit;gridwatch.codecs.wire:encode;x:y", "encode"),
        (LOOP + "gridwatch.kafka.emission:_send;gridwatch.kafka.packing:pack:31", "emit"),
        (LOOP + "gridwatch.streaming.stage.changelog:append;gridwatch.kafka.packing:pack:31", "commit"),
        (LOOP + "gridwatch.domain.partition.processor:_run;gridwatch.tables.store:row", "RocksDB"),
        (LOOP + "aiokafka.producer.sender:_sender_routine;asyncio.streams:write", "send"),
        (LOOP + "faust.transport.consumer:getmany", "fetch"),
        (LOOP + "selectors:select", "rest"),
        ("faust.cli.faust:main;mode.worker:execute_from_commandline", "rest"),
    ],
)
def test_a_stack_of_the_main_thread_belongs_to_the_innermost_stage(stack: str, stage: str) -> None:
    assert stages.stage_of(f"main;{stack}") == stage


def test_a_call_into_c_is_identified_by_its_line() -> None:
    lines = inspect.getsource(processor).splitlines()
    decoding = next(number for number, line in enumerate(lines, 1) if " decode(" in line)
    ruling = next(number for number, line in enumerate(lines, 1) if "meter.cursor" in line)
    run = "main;gridwatch.domain.partition.processor:_run"
    assert stages.stage_of(f"{run}:{decoding}") == "decode"
    assert stages.stage_of(f"{run}:{ruling}") == "domain"
    assert stages.functions({f"{run}:{ruling}": 3, f"{run}:{ruling + 1}": 4}, 1)["domain"] == [
        ("gridwatch.domain.partition.processor:_run", 7)
    ]


def test_other_threads_fetch_garbage_is_itself_and_native_time_is_the_database() -> None:
    assert stages.stage_of("Thread-1;gridwatch.codecs.wire:encode_outputs") == "fetch"
    assert stages.stage_of("main;gc:collect") == "garbage"
    assert stages.stage_of("native") == "RocksDB"


def test_only_samples_after_the_start_count() -> None:
    before = stages.parse("main;gridwatch.domain.meter.state:due 700\nnative 5\n")
    after = stages.parse("main;gridwatch.domain.meter.state:due 1000\nnative 5\nmain;a:b 40\n")
    shared = stages.by_stage(stages.between(before, after))
    assert {stage: cost for stage, cost in shared.items() if cost} == {"domain": 300, "rest": 40}
    assert set(shared) == set(stages.STAGES)


SAMPLED = """
import os, signal, sys, time
from pathlib import Path
from benchmarks.measuring.sampled import Sampler
def busy(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
file = Path(sys.argv[1])
Sampler(file).start()
busy(0.4)
time.sleep(0.2)
os.kill(os.getpid(), signal.SIGVTALRM)
"""


def test_the_sampler_attributes_cpu_time_to_its_function(tmp_path: Path) -> None:
    file = tmp_path / "stacks"
    subprocess.run([sys.executable, "-c", SAMPLED, str(file)], check=True, timeout=60)
    stacks = stages.parse(file.read_text())
    busy = sum(weight for stack, weight in stacks.items() if "__main__:busy:" in stack)
    assert 300_000 < busy < 600_000
    assert busy > 0.8 * sum(stacks.values())


def test_charts_are_well_formed_and_escaped() -> None:
    bars = charts.bars(
        "a <title>",
        "s",
        ["one", "two"],
        [("x & y", [charts.Value(1.0, 0.5, 2.0), None]), ("z", [charts.Value(0.0)])],
    )
    lines = charts.lines("cost", "µs", "meters", [charts.Curve("a<b", [(10, 3.0), (1000, 4.0)])])
    words = " ".join(ET.fromstring(bars).itertext())
    assert "a <title>" in words
    assert "x & y" in words
    places = [float(one.get("cx", "")) for one in ET.fromstring(lines).iter() if one.tag.endswith("circle")]
    assert places == sorted(places)


MEASURED = capacity.Measured(
    cost=10e-6,
    base_bytes=2e8,
    meter_bytes=800.0,
    raw_bytes=200.0,
    validated_bytes=400.0,
    changelog_bytes=100.0,
    state_bytes=120.0,
    recovery=5e-6,
    sink_cost=8e-6,
    database_cost=9e-6,
    row_bytes=250.0,
)


def results_of(lines: list[capacity.Line]) -> dict[str, str]:
    return {line.what: line.result for line in lines}


def test_the_calculation_for_a_country_adds_up() -> None:
    lines = capacity.calculate(MEASURED, capacity.Assumptions())
    assert results_of(lines["load"])["readings a second"] == "33,333"
    workers = results_of(lines["workers"])
    assert workers["busy cores"] == "0.33"
    assert workers["workers, by recovery from the changelog alone"] == "2.5"
    assert workers["workers, by memory"] == "5.9"
    assert workers["workers"] == "6"
    assert workers["all meters reporting in one second are processed within"] == "50 s"


def test_more_meters_need_more_of_everything() -> None:
    few = capacity.calculate(MEASURED, capacity.Assumptions(meters=1_000_000))
    many = capacity.calculate(MEASURED, capacity.Assumptions(meters=100_000_000))
    assert int(results_of(many["workers"])["workers"]) > int(results_of(few["workers"])["workers"])
    assert int(results_of(many["brokers"])["brokers"]) > int(results_of(few["brokers"])["brokers"]) == 3


def test_a_quick_run_is_compared_with_the_kept_one() -> None:
    now = {"floor": report.Spread(0.5, 0.4, 0.6)}
    kept = {"floor": {"median": 0.45, "low": 0.44, "high": 0.46}}
    assert quick.compared("1,000 meters", now, kept) == [
        "  1,000 meters   gridwatch / floor    0.50 (0.40–0.60)   kept: 0.45 (0.44–0.46)"
    ]
    assert quick.compared("1,000 meters", now, {})[0].endswith("kept: none")


def test_only_kept_results_change_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, folder in (("ROOT", "."), ("RESULTS", "results"), ("KEPT", "kept"), ("IMAGES", "images")):
        monkeypatch.setattr(published, name, tmp_path / folder)
    published.write("scale", {"a": 1}, keep=False, pictures={"scale": "<svg/>"})
    assert published.kept("scale") == {}
    published.write("scale", {"a": 2}, keep=True, pictures={"scale": "<svg/>", "partitions": "<svg/>"})
    assert published.kept("scale") == {"a": 2}
    assert {file.name for file in (tmp_path / "kept").iterdir()} == {"scale.json"}
    assert {file.name for file in (tmp_path / "images").iterdir()} == {
        "speed-scale.svg",
        "speed-partitions.svg",
    }


def test_the_pages_show_the_kept_results() -> None:
    for path in figures.PAGES:
        page = path.read_text(encoding="utf-8")
        assert page == figures.renewed(page), f"{path.name} is behind the results: make docs"


def test_a_contestant_that_cannot_be_installed_is_skipped_but_not_the_floor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(name: str) -> Path:
        if name in refused:
            raise NotInstallable(f"{name}: no wheel for this Python")
        return Path(sys.executable)

    monkeypatch.setattr(comparison, "python_of", refuse)
    monkeypatch.setattr(comparison, "compiled", Path)
    refused = {"bytewax"}
    ready, left_out = comparison.available(CONTESTANTS, ())
    assert left_out == {BYTEWAX.title: "bytewax: no wheel for this Python"}
    assert ready == [one for one in CONTESTANTS if one is not BYTEWAX]
    chosen = comparison.available(CONTESTANTS, ["faust"])[0]
    assert [one.name for one in chosen] == ["floor", "faust", "gridwatch"]
    refused = {"floor"}
    with pytest.raises(NotInstallable, match="no wheel"):
        comparison.available(CONTESTANTS, ())
