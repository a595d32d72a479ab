"""The tables of a home's devices, from the topics that the bridge writes once for all flows.

readings.py      what the three tables of measurements have in common
energy.py        `energy_readings`, and by hour `energy_hourly`
heatpump.py      `heatpump_readings`, and by hour `heatpump_hourly`
temperature.py   `temperature_readings`, and by hour `temperature_hourly`
dead_letters.py  `homelab_dead_letters`: messages that are no measurement
"""
