"""The classes of customers: all that is assumed about them, as data.

Power is in W of a meter of scale 1 (`fleet.py` gives each meter a scale), hours are local. The shapes are
rounded from what is commonly published: households peak in the evening and rest at night (standard load
profile H0 of the German grid operators), businesses follow opening hours (G1), industry its shifts (G3),
street lighting the dusk. docs/simulator.md has the table.
"""

from __future__ import annotations

from dataclasses import dataclass

Hours = tuple[int, ...]
"""W at each full hour from 0 to 23."""


@dataclass(frozen=True)
class Appliance:
    """Runs once a day, for `minutes` on average and at most twice that, from around `hour` on.

    `watts`: its power is drawn from there. `share` ‰ of the meters have one. `spread` is in hours.
    """

    name: str
    watts: tuple[int, int]
    minutes: int
    hour: float
    spread: float
    share: int = 1000


@dataclass(frozen=True)
class Kind:
    """A class of customers. Shares in ‰; `idle` is the least that the curve draws, half of it flickers."""

    name: str
    share: int
    workday: Hours
    weekend: Hours
    #: How much more is drawn in the depth of winter, and less in summer, ‰.
    winter: int
    idle: int
    #: The diversified peak, for which feeders and regions are built, W.
    peak: int
    #: What the connection allows, kW.
    max_kw: float
    #: Power factor at the meter, ‰.
    power_factor: int
    appliances: tuple[Appliance, ...] = ()
    #: W for each K below 16 °C.
    heat: int = 0
    #: W of panels in full sun.
    panels: int = 0
    #: W of lamps from dusk to dawn.
    lamps: int = 0
    #: W and minutes of a compressor that goes on for a third of each period; 0 for none.
    compressor: tuple[int, int] = (0, 1)


# fmt: off
_HOME_WORKDAY = (120, 100, 95, 90, 95, 120, 220, 330, 280, 210, 190, 200,
                 240, 220, 190, 190, 220, 310, 450, 520, 500, 420, 300, 190)
_HOME_WEEKEND = (150, 120, 100, 95, 95, 100, 130, 200, 300, 350, 360, 380,
                 400, 360, 300, 280, 290, 350, 460, 510, 480, 420, 330, 220)
_FLAT_WORKDAY = (80, 65, 60, 60, 60, 75, 140, 200, 160, 110, 100, 110,
                 130, 120, 100, 100, 120, 180, 270, 320, 310, 260, 190, 120)
_FLAT_WEEKEND = (100, 80, 70, 60, 60, 65, 80, 120, 180, 210, 220, 230,
                 240, 210, 180, 170, 180, 220, 280, 310, 300, 260, 210, 150)
_SHOP_WORKDAY = (300, 290, 280, 280, 290, 350, 600, 1200, 2200, 2700, 2800, 2800,
                 2700, 2600, 2700, 2700, 2600, 2400, 1900, 1200, 700, 480, 380, 330)
_SHOP_WEEKEND = (300, 290, 280, 280, 280, 290, 350, 500, 900, 1200, 1300, 1300,
                 1200, 1000, 800, 650, 550, 480, 430, 400, 380, 350, 320, 310)
_SHIFT_WORKDAY = (6000, 5500, 5200, 5200, 6500, 12000, 24000, 31000, 34000, 35000, 35000, 34000,
                  30000, 33000, 34000, 33000, 30000, 26000, 22000, 19000, 16000, 12000, 8000, 6500)
_SHIFT_WEEKEND = (5200, 5000, 5000, 5000, 5000, 5200, 5600, 6000, 6400, 6600, 6600, 6500,
                  6200, 6000, 5800, 5600, 5500, 5400, 5400, 5300, 5300, 5200, 5200, 5200)
_NOTHING = (20,) * 24
# fmt: on

_KETTLE = Appliance("kettle", (1800, 2200), 6, 6.3, 1.6)
_STOVE = Appliance("stove", (1500, 2600), 35, 17.3, 2.2)
_WASHER = Appliance("washing machine", (450, 700), 55, 9.0, 9.0, 850)
_DISHES = Appliance("dishwasher", (900, 1300), 50, 19.0, 2.5, 700)
_DRYER = Appliance("dryer", (700, 2200), 40, 11.0, 8.0, 400)
_BOILER = Appliance("hot water", (1800, 2200), 60, 4.0, 2.5, 300)
_CHARGER = Appliance("car charger", (3600, 11000), 60, 17.0, 4.0)
_TANK = Appliance("hot water by heat pump", (1200, 1800), 75, 12.0, 3.0)
_OVEN = Appliance("oven", (2500, 6000), 150, 5.5, 4.0, 500)
_COOLING = Appliance("cooling", (800, 2500), 240, 10.0, 3.0, 600)
_PRESS = Appliance("press", (8000, 20000), 180, 7.0, 5.0)
_FURNACE = Appliance("furnace", (10000, 25000), 120, 9.0, 6.0, 500)

_HOME = (_KETTLE, _STOVE, _WASHER, _DISHES, _DRYER)

KINDS: tuple[Kind, ...] = (
    Kind("household", 340, _HOME_WORKDAY, _HOME_WEEKEND, 150, 60, 1500, 14.5, 960, _HOME,
         compressor=(90, 45)),
    Kind("flat", 270, _FLAT_WORKDAY, _FLAT_WEEKEND, 120, 40, 900, 11.0, 965,
         (_KETTLE, _STOVE, _WASHER, _BOILER), compressor=(80, 50)),
    Kind("heat-pump", 110, _HOME_WORKDAY, _HOME_WEEKEND, 150, 60, 3200, 17.0, 940,
         (_KETTLE, _STOVE, _WASHER, _DISHES, _TANK), heat=95, compressor=(90, 45)),
    Kind("ev", 90, _HOME_WORKDAY, _HOME_WEEKEND, 150, 60, 3000, 22.0, 970,
         (*_HOME, _CHARGER), compressor=(90, 45)),
    Kind("pv-prosumer", 110, _HOME_WORKDAY, _HOME_WEEKEND, 150, 60, 1500, 17.0, 950, _HOME,
         panels=6500, compressor=(90, 45)),
    Kind("business", 60, _SHOP_WORKDAY, _SHOP_WEEKEND, 80, 150, 4500, 44.0, 920,
         (_OVEN, _COOLING), compressor=(600, 30)),
    Kind("street-lighting", 12, _NOTHING, _NOTHING, 0, 20, 2600, 11.0, 930, lamps=2400),
    Kind("industry", 8, _SHIFT_WORKDAY, _SHIFT_WEEKEND, 40, 3000, 62000, 250.0, 880,
         (_PRESS, _FURNACE), compressor=(4000, 20)),
)  # fmt: skip
"""By share of the meters; shares add up to 1000."""
