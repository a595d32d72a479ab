"""Plots over time as inline SVG, free of any framework and of gridwatch's state.

charts.py   bars, stacked bars and lines
bands.py    steps with the range around them, what is usual, and marked levels
strips.py   a day in a line of a table: cells by their level, a small line
canvas.py   everything around the data: scales, axes, shaded regions, marked instants
spans.py    marked time ranges above the data
axes.py     which instants and values are labelled, and how
style.py    the style sheet of all plots
"""
