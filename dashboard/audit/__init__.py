"""Every act inside the dashboard, reads and exports included."""
