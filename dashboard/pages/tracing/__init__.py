"""User tracing: a user's day or week."""
