"""Plots over time as inline SVG, free of any framework and of gridwatch's state.

charts.py   bars, stacked bars and lines
canvas.py   everything around the data: scales, axes, shaded regions, marked instants
axes.py     which instants and values are labelled, and how
style.py    the style sheet of all plots
"""
