"""Settings as the environment of a child process."""

from __future__ import annotations

import os
from collections.abc import Mapping

from gridwatch.settings import PREFIX

#: No setting: where downloads are kept. Every child may use what is there.
_CACHE = f"{PREFIX}CACHE"


def environment_of(settings: Mapping[str, object], *, inherited: bool = False) -> dict[str, str]:
    """Our environment with these settings instead of ours; with `inherited` in addition to ours."""
    ours = {
        key: value
        for key, value in os.environ.items()
        if inherited or key == _CACHE or not key.startswith(PREFIX)
    }
    return ours | {PREFIX + name.upper(): str(value) for name, value in settings.items()}
