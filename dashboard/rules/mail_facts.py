"""What a mail says of an event beside its text: who, which queue, how long, and the page it leads to."""

from __future__ import annotations

from dashboard.i18n.message import N_
from dashboard.rulelang import rate_limits, text_templates
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.rate_limits import By
from dashboard.rules.recipients import People, Reader
from dashboard.tracing import logged

CONTACT = ("contact.name", "contact.phone", "contact.email")
BEFORE = ("user.name", "queue.name")
AFTER = ("title", "pause", "wait_s", "idle_s", "duration_s", "rating")  # of the event's data


def facts(people: People, found: EventFacts, reader: Reader) -> list[tuple[str, str]]:
    """Return label (marked) and text of what the reader may see of an event, in the reader's language."""
    type_ = found["type"]
    labels, thing = text_templates.names((type_,)), type_.partition(".")[0]

    def text(name: str) -> str:
        return people.say("{{ " + name + " }}", found, reader)

    contact = [each for name in CONTACT if (each := text(name)) not in ("", text_templates.HIDDEN)]
    rows = [(labels[name], text(name)) for name in BEFORE]
    rows.append((N_("Contact"), " · ".join(contact[:2])))
    rows += [(labels[name], text(name)) for each in AFTER if (name := f"{thing}.{each}") in labels]
    rows.append((labels["event.time"], text("event.time")))
    return [(label, value) for label, value in rows if value]


def page(found: EventFacts, rule_id: int, reader: Reader) -> str:
    """Return the address of the page of what an event is about; "" where the reader may not open it."""
    subject = rate_limits.limit_key(By.SUBJECT, rule_id, found)
    return logged.subject_page(reader.scope, subject, found["time"], reader.zone) or ""
