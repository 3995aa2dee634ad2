"""Stopa as a service of systemd: the files of it, and the steps that install, upgrade and remove it."""
