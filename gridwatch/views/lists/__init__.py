"""The lists of meters and of gaps, over all workers.

pages.py     the two pages: this worker's part merged with the other workers'
survey.py    finds the lines of a page in an order that no key has
rankings.py  the orders, and how a place in one is written in a link
"""
