"""Co-browsing sessions: the projection of events whose type begins with `cobrowse.`."""
