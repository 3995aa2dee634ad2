"""Access control: permissions, scope, sign-in sessions, passwords, API keys."""
