"""Meter files of every layout, made from a truth that is known, by code that shares nothing with the replay.

    clocks   local days, and when the clocks change
    truth    energy of meters, interval by interval
    stamps   how a time is written: offset, zone, anchor, columns
    values   how energy is written: unit, decimal mark
    lines    order of the rows, duplicates, corrections, gaps
    paper    delimiter, encoding, preamble, packing
    judgement    what can be known of a file from its text
    case     one file: its bytes, its profile, and what is right
    long, spans, numbered, days, meters, registers      layouts that a profile of one's own describes
    portals_…, records      layouts of named profiles
    choice   a case for a seed

What is right is judged from what the file says, and from nothing that only its maker knows.
"""
