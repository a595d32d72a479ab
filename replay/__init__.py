"""Turns meter files into a stream on the raw topic, with seeded faults and the truth about them.

    profiles → rows → ordering → faults → emission ─┬─► sending → smartmeter_raw
                                                    └─► truth → manifest ──► scoring

profiles   how a kind of file is laid out            emission  the one order of readings and ticks
rows       file → rows, bad rows told apart          truth     what a perfect detector must report
ordering   rows → rows in time order, any size       manifest  the truth as JSON lines
faults     which readings are withheld or delayed    scoring   truth against what was detected

request    what is asked                             undisturbed  the same order, many readings at once
inputs     the files, found and looked at            delivery   items numbered, paced, counted
survey     what one look at the rows shows           sending    items to record batches
packed, sorted_runs, run_folder                      appending  batches to Kafka, beside the next ones
           where rows wait for their turn            position   where an interrupted replay goes on
"""
