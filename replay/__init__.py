"""Turns meter files into a stream on the raw topic, with seeded faults and the truth about them.

    profiles → rows → ordering → faults → emission ─┬─► sending → smartmeter_raw
                                                    └─► truth → manifest ──► scoring

profiles   how a kind of file is laid out            emission  the one order of readings and ticks
rows       file → rows, bad rows told apart          truth     what a perfect detector must report
ordering   rows → rows in time order, any size       manifest  the truth as JSON lines
faults     which readings are withheld or delayed    scoring   truth against what was detected
"""
