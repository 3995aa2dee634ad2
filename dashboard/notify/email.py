"""E-mail by SMTP: one message to one recipient, with a time limit, marked as automatically generated.

The server is the instance's own, named by its settings, so its address is not checked. A connection that is
cut before the server has accepted the message counts as not sent (RFC 5321, 4.5.4.1: better twice than
never); the Message-ID is the same for all tries. This module also limits the mail per person (semantics
9.4), and records events of the mail server: away, back, message refused or given up.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from dashboard.events import internal
from dashboard.i18n.message import N_
from dashboard.models import Setting
from dashboard.notify import result, safe_http
from dashboard.notify.letter import Content
from dashboard.notify.result import DeliveryResult, ResultKind
from dashboard.rulelang.outcomes import StepState
from dashboard.settings import Settings

PORTS = {"smtp": 25, "smtps": 465}
SUBJECT_MAX = 200
NO_SERVER = N_("No mail server is configured. Set STOPA_SMTP_URL.")
NO_ADDRESS = N_("The recipient has no valid email address.")
NO_ENCRYPTION = N_("The mail server offers no encryption, so the password was not sent.")
NO_SIGN_IN = N_("The mail server rejected the sign-in.")
CUT = N_("The mail server closed the connection.")

_ADDRESS = re.compile(r"[^@\s<>,;:()\[\]\\\"]{1,64}@[^@\s<>,;:()\[\]\\\"]{1,250}")


class _Watched(smtplib.SMTP):
    """Ends with the call that made it, however slowly the server drips."""

    def __init__(self, call: safe_http.Call, host: str, port: int) -> None:
        self._call = call
        smtplib.SMTP.__init__(self, host, port, timeout=call.left())

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made = socket.create_connection((host, port), min(safe_http.CONNECT_S, timeout))
        made.settimeout(timeout)
        self._call.watch(made)
        return made


class _WatchedTls(smtplib.SMTP_SSL, _Watched):
    def __init__(self, call: safe_http.Call, host: str, port: int) -> None:
        self._call = call
        smtplib.SMTP_SSL.__init__(self, host, port, timeout=call.left(), context=ssl.create_default_context())


class _NoEncryptionError(Exception):
    pass


def own_address(settings: Settings) -> str:
    """Return the sender's bare address."""
    return parseaddr(settings.mail_from)[1]


class Attachment(NamedTuple):
    """A file of a mail; `mime` is its type, such as application/pdf."""

    name: str
    mime: str
    content: bytes


def message(
    settings: Settings, key: str, to: str, subject: str, body: Content, attached: Attachment | None = None
) -> EmailMessage:
    """Return the mail. What came from events stays within its field: breaks and controls are blanks."""
    made = EmailMessage()
    made["From"] = settings.mail_from
    made["To"] = to
    made["Subject"] = _line(subject)[:SUBJECT_MAX]
    made["Date"] = formatdate(usegmt=True)
    made["Message-ID"] = f"<{key}@{own_address(settings).partition('@')[2] or 'localhost'}>"
    made["Auto-Submitted"] = "auto-generated"
    made["Precedence"] = "bulk"
    made["X-Auto-Response-Suppress"] = "All"
    made.set_content(_printable(body.text))
    if body.html:
        made.add_alternative(_printable(body.html), subtype="html")
    if attached is not None:
        main, _slash, sub = attached.mime.partition("/")
        made.add_attachment(attached.content, maintype=main, subtype=sub, filename=attached.name)
    return made


def send(
    settings: Settings, key: str, to: str, subject: str, body: Content, attached: Attachment | None = None
) -> DeliveryResult:
    """Send one mail and say what came of it. Takes up to guard.TOTAL_S seconds; raises nothing.

    An answer without status means that the server was not reached or did not let us in.
    """
    if not settings.smtp_url:
        return DeliveryResult(ResultKind.NEVER, NO_SERVER)
    if not _ADDRESS.fullmatch(to):
        return DeliveryResult(ResultKind.NEVER, NO_ADDRESS)
    try:
        made = message(settings, key, to, subject, body, attached)
    except ValueError:
        return DeliveryResult(ResultKind.NEVER, NO_ADDRESS)
    return _with_server(settings, lambda server: server.send_message(made, own_address(settings), [to]))


def check(settings: Settings) -> DeliveryResult:
    """Sign in to the mail server and send nothing; say what came of it, as send() does."""
    return _with_server(settings, lambda server: server.noop())


def _with_server(settings: Settings, act: Callable[[smtplib.SMTP], object]) -> DeliveryResult:
    with safe_http.call() as call:
        try:
            _signed_in(settings, call, act)
            return DeliveryResult(ResultKind.DONE, "", 250)
        except smtplib.SMTPAuthenticationError as error:
            return DeliveryResult(ResultKind.LATER, NO_SIGN_IN, 0, _note(error.smtp_code, error.smtp_error))
        except smtplib.SMTPRecipientsRefused as error:
            return _refused(*next(iter(error.recipients.values())))
        except smtplib.SMTPResponseException as error:
            return _refused(error.smtp_code, error.smtp_error)
        except _NoEncryptionError:
            return DeliveryResult(ResultKind.NEVER, NO_ENCRYPTION)
        except smtplib.SMTPNotSupportedError as error:
            return DeliveryResult(ResultKind.NEVER, result.REFUSED, 0, result.masked(str(error), ()))
        except smtplib.SMTPServerDisconnected:
            return DeliveryResult(ResultKind.LATER, result.SLOW if call.late else CUT)
        except (OSError, ValueError, smtplib.SMTPException):
            return DeliveryResult(ResultKind.LATER, result.SLOW if call.late else result.UNREACHED)


def _signed_in(settings: Settings, call: safe_http.Call, act: Callable[[smtplib.SMTP], object]) -> None:
    parts = urlsplit(settings.smtp_url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    server = _WatchedTls(call, host, port) if parts.scheme == "smtps" else _Watched(call, host, port)
    try:
        server.ehlo()
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        elif parts.scheme == "smtp" and parts.password and not _is_here(server):
            raise _NoEncryptionError
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        act(server)
    finally:
        server.close()  # without QUIT: the server has taken the message, or it is lost anyway


def _is_here(server: smtplib.SMTP) -> bool:
    """Is the server on this machine, so that no network is used?"""
    place = server.sock.getpeername()[0] if server.sock is not None else ""
    return place == "::1" or place.startswith(("127.", "::ffff:127."))


def _refused(code: int, answer: bytes | str) -> DeliveryResult:
    """Return what an SMTP code means: 5xx for good, the rest may pass."""
    note = _note(code, answer)
    if 500 <= code < 600:
        return DeliveryResult(ResultKind.NEVER, result.REFUSED, code, note)
    return DeliveryResult(ResultKind.LATER, result.FAILING, code, note)


def _note(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return result.masked(f"{code} {text}", ())


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable() or c in "\n\t")


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


MINUTE_MS = 60_000
ABOUT_ONE = ((10, 10), (30, 15), (60, 25), (180, 50), (600, 100))  # minutes → mails about one subject
IN_ALL = ((10, 30), (30, 60), (60, 120), (180, 240), (600, 360))
LONGEST_MS = 600 * MINUTE_MS
MOST = 360  # sent mails that can matter

TOO_MANY = N_("This recipient has received too many emails recently.")
UNWANTED = N_(
    "This address can't be a recipient: it belongs to a sender, a mailing list or an automated system."
)

_MACHINES = re.compile(
    r"(mailer-?daemon|postmaster|no[-_.]?reply.*|do[-_.]?not[-_.]?reply.*|bounces?([-+=].*)?|daemon|listserv"
    r"|majordomo|owner-.*|.*-(bounces?|owner|request|noreply|no-reply))",
    re.IGNORECASE,
)


class Sent(NamedTuple):
    """A mail that the recipient got: when, and about which subject."""

    at_ms: int
    subject: str


def reached(sent: Sequence[Sent], subject: str, now_ms: int) -> bool:
    """Has this recipient got as many mails as may be, in all or about this subject ("" for none)?"""
    about = [each.at_ms for each in sent if subject and each.subject == subject]
    return _over(about, ABOUT_ONE, now_ms) or _over([each.at_ms for each in sent], IN_ALL, now_ms)


def _over(times: Sequence[int], steps: Sequence[tuple[int, int]], now_ms: int) -> bool:
    return any(sum(each > now_ms - minutes * MINUTE_MS for each in times) >= most for minutes, most in steps)


def unwanted(address: str, own: str) -> bool:
    """Is it Stopa's own address, or that of a machine or a mailing list?"""
    return address.lower() == own.lower() or bool(_MACHINES.fullmatch(address.partition("@")[0]))


FAILURES = "mail.failures"  # connections that failed, in a row


def tell(
    settings: Settings, to: str, answer: DeliveryResult, attempt: int, state: StepState, chain: Sequence[int]
) -> None:
    """Record what a try to send to `to` says of the server and of the mail, in the caller's transaction.

    `state` is the step's after the try.
    """
    if answer.how is ResultKind.HELD:
        return
    reached = bool(answer.status)
    if answer.how is ResultKind.DONE:
        if failures():
            _count(0)
            internal.append("mail_out.recovered", _data(settings))
        return
    data = {**_data(settings), "recipient": to, "error": answer.note or answer.why, "attempt": attempt}
    if answer.status:
        data["error_code"] = str(answer.status)
    if not reached and answer.how is ResultKind.LATER:
        data["failures"] = failures() + 1
        _count(data["failures"])
        internal.append("mail_out.connection_failed", data, chain=chain)
    elif reached:
        internal.append("mail_out.delivery_failed", data, chain=chain)
    if state in (StepState.DEAD, StepState.FAILED):
        internal.append("mail_out.delivery_abandoned", data, chain=chain)


def failures() -> int:
    """Return how many connections to the mail server failed in a row."""
    found = Setting.select(Setting.value).where(Setting.name == FAILURES).scalar()
    return int(found) if found is not None else 0


def _count(number: int) -> None:
    Setting.put(FAILURES, str(number))


def _data(settings: Settings) -> dict[str, Any]:
    parts = urlsplit(settings.smtp_url)
    if not parts.scheme:
        return {"protocol": "smtp", "own_address": own_address(settings)}
    data: dict[str, Any] = {
        "protocol": "smtp",
        "server": parts.hostname or "",
        "port": parts.port or PORTS[parts.scheme],
        "own_address": own_address(settings),
        "auth_required": bool(parts.username),
        "encryption": "TLS" if parts.scheme == "smtps" else "STARTTLS",
    }
    return {**data, "login": unquote(parts.username)} if parts.username else data
