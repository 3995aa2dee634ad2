"""Visitors of portal sites: their visits and sessions, and invitations to a chat.

Whoever writes here and records events in one transaction takes the lock `APPENDING` before a row of a visit.
"""
