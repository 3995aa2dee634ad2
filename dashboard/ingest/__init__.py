"""The gate: what comes in by HTTP or file is checked, stored and digested."""
