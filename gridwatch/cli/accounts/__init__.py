"""`gridwatch keys …`: who may use the entrances."""
