"""The slow model of anomalies, written from docs/anomalies.md alone."""
