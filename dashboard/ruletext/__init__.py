"""Rules, conditions and traces in the language of the reader."""
