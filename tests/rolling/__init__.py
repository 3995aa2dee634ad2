"""A rolling upgrade of two machines under a stream of events."""
