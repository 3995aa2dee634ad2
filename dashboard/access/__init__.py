"""Who may do what, about whom: permissions, scope, sessions, passwords, keys."""
