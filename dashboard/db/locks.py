"""The advisory locks of PostgreSQL that this application takes.

They share one space of numbers per database, so they are declared together and none may be given twice.
SQLite has one writer and needs none of them.
"""

from __future__ import annotations

from enum import IntEnum, unique


@unique
class Lock(IntEnum):
    """What only one transaction may do at a time; the numbers are arbitrary."""

    MIGRATE = 7_260_421
    PROJECTION = 7_260_422  # fold events, evaluate rules, fire deadlines
    APPEND = 7_260_423  # append a batch of events; one lock per source
    APPENDING = 7_260_424  # shared by all who append, exclusive for who reads up to the highest id
    CLAIM_DELIVERY = 7_260_425
    CLAIM_JOB = 7_260_427
    GRANT = 7_260_426  # change rights of users
    SIGN_IN = 7_260_428  # count attempts to sign in
    AUDIT = 7_260_429  # number and chain audit entries; the last lock that a transaction takes
    CLAIM_SCHEDULE = 7_260_432
