"""The lists of meters and of gaps, over all workers.

pages.py     the two pages: this worker's part merged with the other workers'
survey.py    scans for the rows of a page in an order other than the key's
rankings.py  the sort orders, and cursors into them
"""
