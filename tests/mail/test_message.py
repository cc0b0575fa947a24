"""A mail holds the headers that rmo wrote and no other, whatever people put into names and titles."""

import email
import email.policy
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmo.mail.message import MailError, Message, domain_of, message_bytes, message_id

DATE = datetime(2026, 4, 14, 7, 0, tzinfo=UTC)
PLAIN = Message(
    sender="rmo@example.org",
    recipient="ceo@example.org",
    subject="2 gaps, £1.20m short, March",
    text="Of £22.92m promised, £2.98m will fall short.",
    html="<p>Of £22.92m promised, £2.98m will fall short.</p>",
    message_id=message_id("digest", "ceo@example.org", "2026-03", domain="example.org"),
    sender_name="Northshire Health",
    recipient_name="Chief executive",
    list_id="digest.example.org",
    unsubscribe_url="https://rmo.example.org/mails?" + "x" * 200,
    one_click=True,
)
HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post",
    "Auto-Submitted", "X-Auto-Response-Suppress", "MIME-Version", "Content-Type",
]  # fmt: skip
BREAKING = {"Cc", "Zl", "Zp"}  # Unicode's classes of control characters and line breaks
ATTACKS = [
    pytest.param("=?utf-8?q?a=0ABcc:_evil@example.net?=", id="a line break inside an encoded word"),
    pytest.param("=?utf-8?b?YQpCY2M6IGV2aWxAZXhhbXBsZS5uZXQ=?=", id="the same in base64"),
    pytest.param("a\r\nBcc: evil@example.net", id="carriage return and line feed"),
    pytest.param("a\nBcc: evil@example.net", id="line feed"),
    pytest.param("a\rBcc: evil@example.net", id="carriage return"),
    pytest.param("a\x85Bcc: evil@example.net", id="next line"),
    pytest.param("a\u2028Bcc: evil@example.net", id="line separator"),
    pytest.param("a\u2029Bcc: evil@example.net", id="paragraph separator"),
    pytest.param("a\x0b\x0cBcc: evil@example.net", id="vertical tab and form feed"),
    pytest.param("a\r\n\r\n<h1>another body</h1>", id="the end of the headers"),
    pytest.param('a" <evil@example.net>, "b', id="the end of a quoted name"),
    pytest.param("a\x00b", id="nought"),
    pytest.param("x" * 2000, id="very long"),
    pytest.param("ä" * 2000, id="very long and not ASCII"),
]


def parsed(content: bytes) -> email.message.Message:
    return email.message_from_bytes(content, policy=email.policy.compat32)


def read(header: str) -> str:
    return str(make_header(decode_header(header)))


@pytest.mark.parametrize("text", ATTACKS)
@pytest.mark.parametrize("field", ["subject", "sender_name", "recipient_name"])
def test_no_text_becomes_a_header_or_an_address(field, text):
    content = message_bytes(replace(PLAIN, **{field: text}), date=DATE)

    for policy in (email.policy.compat32, email.policy.default):
        mail = email.message_from_bytes(content, policy=policy)
        assert mail.keys() == HEADERS
        assert mail.defects == []
    modern = email.message_from_bytes(content, policy=email.policy.default)
    assert [address.addr_spec for address in modern["to"].addresses] == ["ceo@example.org"]
    assert [address.addr_spec for address in modern["from"].addresses] == ["rmo@example.org"]
    assert max(len(line) for line in content.split(b"\r\n")) < 998


@given(st.text())
def test_any_subject_arrives_as_it_was_but_for_control_characters(subject):
    content = message_bytes(replace(PLAIN, subject=subject), date=DATE)

    mail = parsed(content)
    assert mail.keys() == HEADERS
    arrived = read(mail["Subject"])
    assert not BREAKING & {unicodedata.category(character) for character in arrived}
    if not BREAKING & {unicodedata.category(character) for character in subject}:
        assert arrived == subject.strip()


@pytest.mark.parametrize(
    "address",
    [
        "no at sign",
        "two@at@example.org",
        "a@example.org\r\nBcc: evil@example.net",
        "a@example.org\x85",
        "a@exam\u2028ple.org",
        "a@example.org, evil@example.net",
        "a b@example.org",
        "<a@example.org>",
        "=?utf-8?q?a=0A?=@example.org",
        "a@-example.org",
        "a@" + "x" * 300 + ".org",
        "@example.org",
        "a@",
        "",
    ],
)
@pytest.mark.parametrize("field", ["sender", "recipient"])
def test_an_address_that_is_none_is_refused(field, address):
    with pytest.raises(MailError):
        message_bytes(replace(PLAIN, **{field: address}), date=DATE)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("message_id", "<a@b>\r\nBcc: evil@example.net"),
        ("message_id", "no brackets"),
        ("list_id", "a b"),
        ("unsubscribe_url", "javascript:alert(1)"),
        ("unsubscribe_url", "https://example.org/>\r\nBcc: evil@example.net"),
    ],
)
def test_an_identifier_or_a_link_that_is_none_is_refused(field, value):
    with pytest.raises(MailError):
        message_bytes(replace(PLAIN, **{field: value}), date=DATE)


def test_a_domain_may_be_written_in_any_alphabet():
    content = message_bytes(replace(PLAIN, recipient="ceo@bücher.example"), date=DATE)

    assert "<ceo@xn--bcher-kva.example>" in parsed(content)["To"]


def test_both_bodies_arrive_letter_for_letter():
    text = "Größe – £1\u2028next\n.\n.a line with a dot\n" + "long " * 500
    mail = email.message_from_bytes(
        message_bytes(replace(PLAIN, text=text, html=f"<p>{text}</p>"), date=DATE),
        policy=email.policy.default,
    )

    assert mail.get_content_type() == "multipart/alternative"
    plain, html = mail.iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == text
    assert html.get_content().replace("\r\n", "\n") == f"<p>{text}</p>"
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")


def test_the_headers_say_what_the_mail_is():
    mail = parsed(message_bytes(PLAIN, date=DATE))

    assert mail["Date"] == "Tue, 14 Apr 2026 07:00:00 +0000"
    assert mail["List-Id"] == "<digest.example.org>"
    assert mail["List-Unsubscribe"] == f"<{PLAIN.unsubscribe_url}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert read(mail["Subject"]) == PLAIN.subject


def test_a_link_to_a_page_is_not_called_one_click():
    mail = parsed(message_bytes(replace(PLAIN, one_click=False), date=DATE))

    assert mail["List-Unsubscribe"]
    assert "List-Unsubscribe-Post" not in mail


def test_the_same_mail_is_the_same_bytes():
    assert message_bytes(PLAIN, date=DATE) == message_bytes(PLAIN, date=DATE)


def test_the_identifier_of_a_mail_depends_on_its_whole_key():
    key = ("digest", "ceo@example.org", "2026-03")
    others = [("digest", "ceo@example.org", "2026-04"), ("digestceo@example.org", "2026-03")]

    assert message_id(*key, domain="example.org") == message_id(*key, domain="rmo@example.org")
    assert len({message_id(*each, domain="example.org") for each in [key, *others]}) == 3


def test_a_domain_that_is_none_is_refused():
    with pytest.raises(MailError):
        domain_of("a@" + "ü" * 80)
