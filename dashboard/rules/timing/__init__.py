"""Deadlines, waits and schedules of rules: computed from events, stored as timers, run when due."""
