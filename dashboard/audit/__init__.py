"""The audit log: an entry for every action in Stopa, including reads and exports."""
