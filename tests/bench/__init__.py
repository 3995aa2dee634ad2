"""Benchmarks: `python -m tests.bench` prints a table of ratios. No tests; they never fail a build."""
