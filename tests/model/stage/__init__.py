"""The stage `regions` by its rules: from all bundles of all sources to what has to come of them."""
