"""Makes up a fleet of meters and sends what they measure, with events, faults and the truth about them.

    model/ ──► rows.py ──► replay's order, faults and truth ──► modes.py ──► smartmeter_raw, ingest, a file

A reading is a function of (seed, meter, t) in its fleet: started anywhere, cut anyhow, it is the same.
Everything behind it (order, ticks, faults, manifest, sending, resuming) is that of `replay`.

model/          the physics: fleet, curves, appliances, weather, network
entrance/       the mode http: batches to gridwatch ingest
events.py       what is asked to happen: outages, spikes, flat lines, voltages …
event_options.py  the options of the command that ask for them
request.py      what is asked of a simulation
rows.py         readings as rows of the raw topic
registry.py     the fleet and its regions: control records, CSV
modes.py        where readings go: one class a mode
simulation.py   one simulation from request to summary
options.py      types of option values: instants relative to now, events
report.py       what is printed at the end
command.py      `gridwatch simulate`

numpy is imported in `model/` and nowhere else but where its arrays become rows; it comes with the extra
`gridwatch[simulator]`, and the command says so when it is missing.
"""
