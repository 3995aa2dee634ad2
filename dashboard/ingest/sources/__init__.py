"""One module per vendor: its records to our names. Pure."""
