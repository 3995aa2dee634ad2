"""The windows: a folder per entry of the menu."""

from dashboard.pages import signin

BLUEPRINTS = (signin.bp,)
