"""Grafana's SDK needs Python 3.11; what it made is tested on every Python."""

from __future__ import annotations

import sys

collect_ignore = ["test_dashboards_code.py"] if sys.version_info < (3, 11) else []
