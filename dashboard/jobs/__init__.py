"""Durable work: jobs in the database, claimed under a lease, run by any number of workers."""
