"""The simulator: physics, events, files, command."""
