"""What the registry says, as the worker's partitions know it: meters, regions, planned outages.

heads.py          the few fields of a registration's row that lists and counts need
registrations.py  registrations and regions, read from committed state, as JSON
orders.py         the list of registered meters with its filters; how many there are of what
page.py           the page of registered meters and regions; counts.py: how many there are, over all workers
outages.py        planned outages, read from committed state, as JSON
outage_page.py    their page
"""
