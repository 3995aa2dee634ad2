"""The one log: events are appended here and read from here."""
