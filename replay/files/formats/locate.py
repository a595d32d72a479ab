"""The line of a reading, found by reading its file once more: for errors that are known after all is read.

Known is the line of files whose lines become readings one by one; not where a reading depends on others, as
the energy of a register does.
"""

from __future__ import annotations

import csv

from replay.files.formats.day_rows import DayParser
from replay.files.formats.long_rows import LongParser
from replay.files.formats.wide_rows import MeterColumnsParser
from replay.files.job import BadCell, Job, Selection
from replay.files.profile import Profile
from replay.files.reading.opening import inspect, opened_text
from replay.files.reading.spreadsheets import as_sheet, is_spreadsheet
from replay.files.rows import NothingWaits, Row, Waiting
from replay.files.sources import Source
from replay.files.tally import Tally


def line_of(
    source: Source, profile: Profile, zone: str, selection: Selection, reading: tuple[str, int, float]
) -> int:
    """The line in which a reading (meter, time in µs, kWh without sign) stands; 0 if that is unknown."""
    if is_spreadsheet(source):
        profile = as_sheet(profile)
    if profile.reader is not None:
        return 0
    layout = inspect(source, profile)
    parse = profile.parser(Job(source, layout, profile, zone, selection, Tally()))
    if not isinstance(parse, LongParser | DayParser | MeterColumnsParser):
        return 0
    hours: Waiting = getattr(parse, "hours", None) or NothingWaits()
    block: list[Row] = []
    with opened_text(source, layout.encoding, lambda _: None) as text:
        for _ in range(layout.header_lines):
            text.readline()
        lines = csv.reader(text, delimiter=layout.delimiter)
        for cells in lines:
            before = len(block)
            try:
                parse(cells, block)
            except BadCell:
                continue
            if any((row[1], row[0], abs(row[2])) == reading for row in block[before:]):
                return layout.header_lines + lines.line_num
            if not hours.waiting:
                block.clear()
    return 0
