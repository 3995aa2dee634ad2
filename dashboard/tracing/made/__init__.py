"""Rows of data sources that are computed from the projection: attendance, stays in queues, time in states."""
