"""One file for each kind of meter file; `PROFILES` has them by name, `load_custom` makes one from TOML."""

from __future__ import annotations

from replay.profile import Profile
from replay.profiles.ausgrid import AUSGRID
from replay.profiles.cer import CER
from replay.profiles.custom import load_custom
from replay.profiles.eemeter import EEMETER
from replay.profiles.esb import ESB
from replay.profiles.goiener import GOIENER
from replay.profiles.green_button import GREEN_BUTTON
from replay.profiles.london import LONDON, LONDON_KAGGLE
from replay.profiles.nem12 import NEM12
from replay.profiles.simbench import SIMBENCH
from replay.profiles.spec import SPEC
from replay.profiles.uci import UCI

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        SPEC, LONDON, LONDON_KAGGLE, UCI, CER, AUSGRID, NEM12, GREEN_BUTTON, ESB, GOIENER, SIMBENCH,
        EEMETER,
    )
}  # fmt: skip

__all__ = ["PROFILES", "SPEC", "Profile", "load_custom"]
