"""Results as tables, charts and pages.

report.py     the report of a race
charts.py     SVG
figures.py    renews the tables of docs/ from kept results
capacity.py   what a machine can take
published.py  the kept results
"""
