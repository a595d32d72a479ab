"""Profiles of what utilities, portals and meters' own software give out.

datadis.py        Datadis and Spanish distributors
dsmr.py           HomeWizard and DSMR-reader, Netherlands and Belgium
enedis.py         Enedis, France
eredes.py         E-REDES, Portugal
esb.py            ESB Networks, Ireland
fluvius.py        Fluvius, Flanders
green_button.py   Green Button (ESPI)
nem12.py          NEM12, Australia
pge.py            PG&E, California
sce.py            Southern California Edison
uk_portals.py     n3rgy and Octopus Energy, Britain
"""
