"""Windows of consumption and the sums of regions, by their rules and by brute force."""
