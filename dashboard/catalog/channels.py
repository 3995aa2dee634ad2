"""The channels of interactions and activities, with their labels. Pure."""

from dashboard.i18n.message import N_

QUEUED = {
    "call": N_("Call"),
    "email": N_("Email"),
    "webchat": N_("Web chat"),
    "sms": "SMS",
    "messenger": "Messenger",
    "whatsapp": "WhatsApp",
    "viber": "Viber",
    "line": "LINE",
    "instagram": "Instagram",
    "ticket": N_("Ticket"),
}
CHANNELS = QUEUED | {"dialled": N_("Dialled call")}  # a call without a queue
