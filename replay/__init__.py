"""Turns meter files into a stream on the raw topic, with seeded faults and the truth about them.

    files/ ──► order/time_order ──► faults/ ──► order/emission ─┬─► sending/ ──► smartmeter_raw
    file → rows   rows by time      what is       the sequence  │
                                    done to them                └─► truth/ ──► manifest ──► scoring/

From the bottom up; each room imports those above it in this list only:

files/      meter files to rows: profiles, stamps, values, formats; what is in them
sample/     meter data that is made up, for `gridwatch sample`, the demo and benchmarks
faults/     what is done to readings on their way: a module a kind, presets, plans
order/      rows in order of time, in bounded memory; the one sequence of readings and ticks
sending/    the sequence to Kafka: partitions, batches, pace, and where an interrupted replay resumes
truth/      what a perfect detector must report, and the manifest of it
scoring/    the truth against what was detected
run/        one replay from request to summary: puts the rooms together
cli/        `gridwatch replay` and `gridwatch sample`
"""
