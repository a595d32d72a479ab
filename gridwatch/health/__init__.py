"""Whether a service is well, and what it counts.

progress.py     since when something that should move has been standing
condition.py    whether a worker is ready, and if not, why not
measures.py     what is measured of a partition by wall clock
prometheus.py   the metrics of a worker's `/metrics/`, each with its help
"""
