"""A mail as bytes: a text part and an HTML part that say the same, and headers that nobody can add to.

The standard library's EmailMessage decodes encoded words in a subject and writes their line breaks as new
headers (CVE-2024-6923), folds a List-Unsubscribe until it breaks, and takes ten times as long. So the few
headers that rmo needs are written here: what comes from people is encoded as a whole, or refused.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from rmo.domain.errors import RmoError

LINE_END = "\r\n"
LONGEST_PLAIN = 60  # characters that a header may have before it is cut into encoded words
WORD_BYTES = 39  # make an encoded word of 64 characters: with a header's name a line stays under 76
BREAKING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
DOMAIN = rf"{LABEL}(?:\.{LABEL})*"
ADDRESS = re.compile(rf"{ATOM}(?:\.{ATOM})*@{DOMAIN}")
LIST_ID = re.compile(DOMAIN)
MESSAGE_ID = re.compile(rf"<{ATOM}(?:\.{ATOM})*@{DOMAIN}>")
URL = re.compile(r"https?://[!-;=?-~]+")  # printable ASCII without angle brackets


class MailError(RmoError):
    """A mail cannot be built: an address, an identifier or a link is none."""


@dataclass(frozen=True)
class Message:
    """All that a mail says. Names, subject and bodies may hold anything; the rest is checked."""

    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    message_id: str
    sender_name: str = ""
    recipient_name: str = ""
    list_id: str = ""
    unsubscribe_url: str = ""
    one_click: bool = False  # the link takes a POST that unsubscribes (RFC 8058)


def message_id(*key: str, domain: str) -> str:
    """Return the identifier of the mail with a key: the same key, the same identifier, for ever."""
    digest = hashlib.sha256("\x00".join(key).encode("utf-8", "replace")).hexdigest()
    return f"<{digest[:40]}@{domain_of(domain)}>"


def domain_of(address: str) -> str:
    """Return the domain of an address or a domain as headers write it, or raise MailError."""
    name = address.rpartition("@")[2]
    try:
        return name.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise MailError(f"{name!r} is not the domain of a mail address.") from error


def checked_address(address: str) -> str:
    """Return an address as it stands in headers and envelope, or raise MailError."""
    local, at, domain = address.rpartition("@")
    written = f"{local}{at}{domain_of(domain)}" if at else ""
    # An encoded word could hold a line break that some reader of the header decodes.
    if not ADDRESS.fullmatch(written) or "=?" in written or len(written) > 254:
        raise MailError(f"{address!r} is not a mail address that can be written to.")
    return written


def message_bytes(message: Message, *, date: datetime) -> bytes:
    """Return a mail as it goes over the line, or raise MailError. `date` is aware."""
    identifier = _checked(MESSAGE_ID, message.message_id, "an identifier of a mail")
    boundary = f"=_{hashlib.sha256(identifier.encode()).hexdigest()[:32]}"  # base64 has no underline
    headers = [
        f"From: {_person(message.sender_name, message.sender)}",
        f"To: {_person(message.recipient_name, message.recipient)}",
        f"Subject: {_words(message.subject)}",
        f"Date: {format_datetime(date)}",
        f"Message-ID: {identifier}",
        *_list_headers(message),
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
    ]
    parts = (
        LINE_END.join(headers),
        "",
        *_part(boundary, "plain", message.text),
        *_part(boundary, "html", message.html),
        f"--{boundary}--",
        "",
    )
    return LINE_END.join(parts).encode("ascii")


def _list_headers(message: Message) -> list[str]:
    """Return the headers by which a mail program lets a person filter or stop such mails."""
    headers = []
    if message.list_id:
        headers.append(f"List-Id: <{_checked(LIST_ID, message.list_id, 'a name of a list')}>")
    if message.unsubscribe_url:
        url = _checked(URL, message.unsubscribe_url, "a link")
        headers.append(f"List-Unsubscribe: <{url}>")  # in one line: folded into encoded words it is none
        if message.one_click:
            headers.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    return headers


def _part(boundary: str, kind: str, body: str) -> tuple[str, ...]:
    # Base64 whatever the text: servers refuse lines of more than 998 bytes.
    lines = re.sub(r"\r\n|\r|\n", LINE_END, body).encode("utf-8", "replace")
    coded = base64.encodebytes(lines).decode("ascii").replace("\n", LINE_END)
    return (
        f"--{boundary}",
        f"Content-Type: text/{kind}; charset=utf-8",
        "Content-Transfer-Encoding: base64",
        "",
        coded,
    )


def _person(name: str, address: str) -> str:
    written = f"<{checked_address(address)}>"
    if not _harmless(name).strip():
        return written.strip("<>")
    return f"{_words(name, quoted=True)}{LINE_END} {written}"


def _words(text: str, *, quoted: bool = False) -> str:
    """Return text for a header: as it is where that is plain and short, else as encoded words."""
    text = _harmless(text).strip()
    if text.isascii() and "=?" not in text and len(text) <= LONGEST_PLAIN:
        return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"' if quoted else text
    return f"{LINE_END} ".join(
        f"=?utf-8?b?{base64.b64encode(piece).decode('ascii')}?=" for piece in _pieces(text)
    )


def _pieces(text: str) -> list[bytes]:
    """Return text as UTF-8 in short pieces, none of which ends inside a character."""
    pieces = [b""]
    for character in text.encode("utf-8", "replace").decode("utf-8"):
        coded = character.encode("utf-8")
        if len(pieces[-1]) + len(coded) > WORD_BYTES:
            pieces.append(b"")
        pieces[-1] += coded
    return pieces


def _harmless(text: str) -> str:
    """Return text with every control character and line break, of any alphabet, as one space."""
    return BREAKING.sub(" ", text)


def _checked(pattern: re.Pattern[str], value: str, what: str) -> str:
    if not pattern.fullmatch(value) or len(value) > 900:
        raise MailError(f"{value!r} is not {what}.")
    return value
