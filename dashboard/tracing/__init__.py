"""A user's day: events folded into intervals and activities, and their figures."""
