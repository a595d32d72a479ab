"""Meter files to rows, in the shape that the file has, each at its own instant.

The modules here are what all rooms below speak of:

sources.py    from what was named to files: folders, patterns, archives
layout.py     how the start of a file looks, and how the file is written
profile.py    how a kind of file is laid out, as data
job.py        one file that is being read: which rows are wanted, what becomes of bad ones
rows.py       a row, and the interface of what makes rows of lines
spacing.py    how far apart the slots of a meter are: a length, or days or months of a zone
covered.py    the times of series: hours and days of one meter
versions.py   rows marked with a version and a device
tally.py      what is counted while files are read
rejects.py    rows that could not be read, and the file of them

overlaps/     series of different steps at one time, which are refused
values/       cells to numbers; registers and power to energy
reading/      files opened, headers matched, lines read
stamps/       stamps to instants, also in hours that the clocks skip or repeat
formats/      a module a shape of row: long, wide, days, fields, Green Button
profiles/     a module a kind of file; profiles from TOML
detection/    `--profile auto`
survey/       what is in the files: for the dry run and before sending
"""
