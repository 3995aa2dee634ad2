"""The data sources, each declared in a module of its own."""
