"""Deliveries by webhook, chat and email: sent by the worker, retried, and marked when given up."""
