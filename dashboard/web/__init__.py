"""What every page shares: the page itself, menu, errors, security headers, static files."""
