"""The book of record: meters, regions and planned outages in the database, and what is published of them.

A change is one transaction: rows with their next version, and rows of the outbox. `gridwatch relay` publishes
those as control records.

    entities.py    what a meter, a region, a planned outage is made of: columns, key, header
    cells.py       a cell of a CSV as a value, and a value as the text of COPY
    files.py       a CSV file as rows with their line numbers
    checking.py    rows against the rules of the domain, a distinct value once
    problems.py    what is wrong with a file, by line and field, with the remedy
    staging.py     rows in a temporary table, compared with the book
    book.py        changes of the book, applied or shown
    resending.py   what stands in the book, published once more
    reading.py     the book shown and exported
    advice.py      rows that are right by themselves, but cannot work
    comparison.py  the book against the compacted topic
    flows.py       the flows that there are, and their raw topics
    relay/         from the outbox to Kafka
"""
