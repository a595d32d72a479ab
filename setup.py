"""Builds gridwatch; all that is to be said about it stands in setup.cfg.

With GRIDWATCH_COMPILE=1 in the environment the modules through which every reading goes are compiled by
mypyc, from the same source: a wheel for this machine, which does the same in less time. It needs a C compiler
and mypy (`make compiled` sees to that).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from setuptools import setup

#: What every reading goes through, and what calls each other there: one native call costs a tenth of another.
HOT_PATH = (
    "gridwatch/domain/**/*.py",
    "gridwatch/codecs/decode.py",
    "gridwatch/codecs/encoded.py",
    "gridwatch/codecs/origin.py",
    "gridwatch/codecs/wire.py",
    "gridwatch/tables/layout.py",
    "gridwatch/tables/meter_rows.py",
    "gridwatch/tables/partition_rows.py",
    "gridwatch/tables/readings.py",
    "gridwatch/tables/registry_rows.py",
    "gridwatch/tables/row_kind.py",
    "gridwatch/tables/states.py",
    "gridwatch/kafka/packing.py",
)


def extensions() -> list[Any]:
    """The compiled modules, if they are asked for."""
    if os.environ.get("GRIDWATCH_COMPILE") != "1":
        return []
    from mypyc.build import mypycify

    sources = sorted(str(path) for pattern in HOT_PATH for path in Path().glob(pattern))
    # The project's own settings of mypy ask for plugins that building does not need.
    options = ["--config-file=", "--ignore-missing-imports", "--follow-imports=silent"]
    return list(mypycify([*options, *sources], opt_level="3", debug_level="0"))


setup(ext_modules=extensions())
