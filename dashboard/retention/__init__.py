"""Deletes data that are kept no longer: in pieces, every night, kind by kind."""
