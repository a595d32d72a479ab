"""Settings as the environment of a child process."""

from __future__ import annotations

import os
from collections.abc import Mapping

from gridwatch.settings import PREFIX

#: Not a setting: the folder of downloads, which every child may use.
_CACHE = f"{PREFIX}CACHE"


def environment_of(settings: Mapping[str, object], *, inherited: bool = False) -> dict[str, str]:
    """Our environment with these settings instead of our own; with `inherited`, on top of our own."""
    ours = {
        key: value
        for key, value in os.environ.items()
        if inherited or key == _CACHE or not key.startswith(PREFIX)
    }
    return ours | {PREFIX + name.upper(): str(value) for name, value in settings.items()}
