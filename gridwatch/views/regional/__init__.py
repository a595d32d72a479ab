"""Regions and incidents, from the topics that they are written to.

log.py            what is read of those topics, and kept up with
rows.py           the last day of every region; sources.py: which partitions the regions wait for
incidents.py      incidents and their revisions
regions_page.py   the page of all regions; region_page.py: that of one
incident_pages.py incidents, and one of them
plots.py          the heat map, and the plots of a region
"""
