"""Other names under which some types are known: old ones, and those of other norms. Pure.

An event that comes under an alias is stored under the catalogue's own name, so that a day, a rule,
a report and a filter need to know one name only. An alias is never taken back.
"""

from __future__ import annotations

ALIASES: dict[str, str] = {
    "call.answered": "call.accepted",
    "call.ended": "call.closed",
    "chat.ended": "chat.closed",
    "agent.break_started": "agent.pause_started",
    "agent.break_ended": "agent.pause_ended",
    "user.password_changed": "auth.password_changed",
    "import.run": "import.finished",
}
