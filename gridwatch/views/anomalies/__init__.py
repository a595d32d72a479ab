"""Anomalies of the meters of a flow.

page.py    the list of them
known.py   the newest revision of each, and the order of the list
log.py     follows their topic while a page is open
plots.py   how many there were in each hour, and how one is marked in the plot of its meter
"""
