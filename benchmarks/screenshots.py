"""`python -m benchmarks.screenshots`: the screenshots in docs/images/, for `make screenshots`.

A real Kafka, PostgreSQL, worker and sink as in `gridwatch demo`; two days of three hundred meters that report
every five minutes, with late, missing, too late and invalid readings; and a headless Chromium (on the PATH)
that captures every page, light, dark and as wide as a phone, and the report.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from confluent_kafka import Producer
from PIL import Image
from rich.console import Console

from benchmarks.measuring.chromium import DESKTOP, PHONE, Chromium, Page
from gridwatch.cli.demo.figures import collect
from gridwatch.cli.demo.report import FILE, write_report
from gridwatch.cli.demo.run import FAULTS, Demo
from gridwatch.cli.demo.stages import Stages
from gridwatch.clock import now_micros
from gridwatch.deployment.catching_up import wait_for_sink, wait_for_worker
from gridwatch.domain.instants import format_instant, parse_instant
from gridwatch.domain.partitioning import partition_of
from gridwatch.kafka.security import librdkafka_config
from gridwatch.plots.axes import DAY, HOUR, MINUTE
from gridwatch.settings import Settings
from gridwatch.topics import RAW
from replay.run.replay import Replay
from replay.run.request import Request
from replay.sample.lines import lines

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
METERS, DAYS, INTERVAL_MINUTES = 300, 2, 5
#: A page has few, and many shades of them along its letters: those give way to the common ones.
COLOURS = 200
#: A picture ends here, CSS pixels: what follows is more of the same.
LONGEST = {DESKTOP: 1250, PHONE: 1300}
#: The meter whose page is shown, and those that fell silent, with the hours for which they are.
SHOWN = "METER_0007"
SILENT = {"METER_0042": 21, "METER_0117": 9, "METER_0118": 9, "METER_0119": 9, "METER_0230": 3, SHOWN: 0.75}
BAD = (
    """{"meter_id": "METER_0007", "timestamp": "%s", "consumption_kwh": "1,5"}""",
    """{"meter_id": "METER_0011", "timestamp": "yesterday", "consumption_kwh": 0.4}""",
    """{"meter_id": "METER_0019", "timestamp": "%s", "consumption_kwh": -0.2}""",
    """{"meter_id": "METER_0023", "consumption_kwh": 0.3}""",
    """METER_0042;2024-01-03 09:40;0.31""",
    """{"meter_id": "METER_0058", "timestamp": "%s", "consumption_kwh": NaN}""",
    """["METER_0060", 0.2]""",
    """{"meter_id": "<img src=x onerror=alert(1)>", "timestamp": "%s", "consumption_kwh": 4000}""",
)
PAGES = {
    "overview": "/",
    "meters": "/meters/?sort=gap_count&limit=20",
    "meter": f"/meters/{SHOWN}/",
    "gaps": "/gaps/?limit=20",
    "partitions": "/partitions/",
    "dead-letters": "/dead-letters/",
    "ready": "/ready/",
}


class Quiet:
    """A replay's progress, of which nothing is shown."""

    def stage(self, name: str, total: int | None) -> None:
        """It begins to read or to send."""

    def at(self, done: int) -> None:
        """So many rows are done."""


def write_sample(path: Path, end: int) -> None:
    """Two days up to `end` (µs), with meters that fall silent before it."""
    first = end - DAYS * DAY
    with path.open("w", encoding="utf-8") as file:
        for piece in lines(METERS, DAYS, INTERVAL_MINUTES, FAULTS.seed, first, True):
            for line in piece.splitlines(keepends=True):
                meter, _, rest = line.partition(",")
                silent_for = SILENT.get(meter)
                if silent_for is None or parse_instant(rest.partition(",")[0])[0] < end - silent_for * HOUR:
                    file.write(line)


def send_more(settings: Settings, end: int) -> None:
    """Records that no replay sends: readings hours too late, and invalid ones."""
    producer = Producer(librdkafka_config(settings))
    stamp = format_instant(end - 5 * MINUTE)
    for minutes in (131, 148, 203):
        late = format_instant(end - minutes * MINUTE)
        value = f'{{"meter_id": "{SHOWN}", "timestamp": "{late}", "consumption_kwh": 0.06}}'
        producer.produce(RAW.name, value, SHOWN, partition_of(SHOWN, settings.partitions))
    for number, text in enumerate(BAD):
        value = text % stamp if "%s" in text else text
        producer.produce(RAW.name, value, None, number % settings.partitions)
    producer.flush()


@contextmanager
def filled(target: Path) -> Iterator[str]:
    """A worker with filled tables, and the report in `target`; yields its URL."""
    demo = Demo(METERS, DAYS, Stages(Console(stderr=True)), target)
    with demo.running() as running:
        # As of now, so that what is behind is behind by minutes; and a settled end is none in the future.
        end = (now_micros() - 25 * MINUTE) // (INTERVAL_MINUTES * MINUTE) * INTERVAL_MINUTES * MINUTE
        source, truth = running.folder / "sample.csv", running.folder / "truth.jsonl"
        write_sample(source, end)
        began = time.monotonic()
        request = Request(files=(source,), faults=FAULTS, truth=truth)
        summary = Replay(request, running.settings, Quiet(), print).send()
        wait_for_worker(running.settings, running.worker)
        wait_for_sink(running.settings, running.sink)
        write_report(
            target / FILE,
            running.settings,
            collect(running.settings, summary, truth, DAYS, time.monotonic() - began),
        )
        send_more(running.settings, end)
        wait_for_worker(running.settings, running.worker)
        yield running.worker.url


def take(page: Page, url: str, name: str, size: tuple[int, int]) -> None:
    """One picture, in few colours."""
    page.open(url)
    path = IMAGES / f"{name}.png"
    page.picture(path, most=LONGEST[size])
    with Image.open(path) as picture:
        full = picture.convert("RGB")
    counted = cast("list[tuple[int, tuple[int, int, int]]]", full.getcolors(full.width * full.height))
    common = sorted(counted, reverse=True)[:COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for _, colour in common for part in colour])
    full.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> None:
    """Take all of them."""
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="gridwatch-pictures-") as folder,
        Chromium() as browser,
        filled(Path(folder)) as worker,
    ):
        looks = {"": (DESKTOP, False), "-dark": (DESKTOP, True), "-phone": (PHONE, False)}
        for look, (size, dark) in looks.items():
            page = browser.page(size, dark=dark)
            for name, path in PAGES.items():
                take(page, worker + path, name + look, size)
            take(page, (Path(folder) / FILE).as_uri(), "report" + look, size)


if __name__ == "__main__":
    main()
