"""Rules: when events of given types meet conditions, do actions.

`match.match` says which rules concern an event and why; it writes nothing and knows no clock.
"""
