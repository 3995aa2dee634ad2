"""Connectors: webhooks of other systems become events. One module per vendor, none of which knows tables."""
