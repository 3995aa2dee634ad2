"""Asterisk's manager interface (AMI): who is a member, paused or rung, and who waits, as of now."""
