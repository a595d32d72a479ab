"""A module a shape of row; a profile names the one that reads its files.

long_rows.py     one reading a line
wide_rows.py     many readings a line: a column a meter, and what all wide files share
day_rows.py      a day of one meter a line
field_rows.py    several series, stamps in parts, registers, units in a column
tariff_rows.py   tariffs that are added up: no sum is replaced by a part of it
locate.py        the line of a reading, for errors
espi.py          Green Button (Atom XML) as a stream of events
espi_series.py   which series a block of readings belongs to
espi_spans.py    from when to when each series has readings
espi_intervals.py  hours and days of one usage point, which are not both sent
"""
