"""The commands `gridwatch replay` and `gridwatch sample`.

command.py   `gridwatch replay`: its options, what they must agree on, exit codes
sample.py    `gridwatch sample`
options.py   types of option values: durations, instants, speeds, sizes, zones
report.py    what a replay and a dry run print at their end
"""
