"""The guard: which addresses a source may reach, whatever name or spelling leads there."""

import ipaddress
import socket
import time
from datetime import date
from pathlib import Path
from typing import Any

import httpcore2
import httpx2
import pytest

from rmo.connectors import Reach, Window
from rmo.connectors.http_json import Options, fetch
from rmo.connectors.shared import web as guarded
from rmo.connectors.shared.web import Guard, Listed, asking
from rmo.domain.calendar import Rhythm
from rmo.domain.errors import ConnectorError
from rmo.domain.values import Frequency

YEARS = Window(Rhythm(Frequency.YEAR), date(2010, 1, 1), date(2018, 1, 1))


def refused(url: str, **reach: Any) -> str:
    with pytest.raises(ConnectorError) as caught:
        fetch(Options(url=url), YEARS, Reach(**{"timeout": 3.0, **reach}))
    assert not caught.value.passing
    return str(caught.value)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:7f00:1::]",
        "169.254.169.254",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "224.0.0.1",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "①②⑦.0.0.1",
    ],
)
def test_no_spelling_of_a_private_address_is_reached(host):
    message = refused(f"http://{host}/latest/meta-data")

    assert "is refused" in message or "is not an address" in message


def test_a_public_host_is_asked_on_the_web_s_own_ports_alone(monkeypatch):
    opened = connections(monkeypatch, {"api.example.org": ["93.184.216.34"]})

    assert "is refused" in refused("http://api.example.org:8080/x")
    assert opened == []
    with pytest.raises(ConnectorError) as caught:
        fetch(Options(url="http://api.example.org/x"), YEARS, Reach(timeout=3.0))
    assert caught.value.passing  # refused by the fake network, not by the guard
    assert opened == [("93.184.216.34", 80)]


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(["127.0.0.1"], id="a name for this machine"),
        pytest.param(["93.184.216.34", "10.0.0.1"], id="one good address and one private"),
        pytest.param(["fe80::1%eth0"], id="link-local with a zone"),
        pytest.param(["fd00:ec2::254"], id="credentials over IPv6"),
    ],
)
def test_a_public_name_that_leads_inside_is_refused(monkeypatch, answers):
    opened = connections(monkeypatch, {"rebind.example.org": answers})

    assert "is refused" in refused("http://rebind.example.org/x")
    assert opened == []


def test_the_name_is_looked_up_once_and_the_socket_goes_to_what_was_looked_at(monkeypatch):
    answers = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1"])
    opened = connections(monkeypatch, {"rebind.example.org": answers})

    with pytest.raises(ConnectorError):
        fetch(Options(url="http://rebind.example.org/x"), YEARS, Reach(timeout=3.0))

    assert opened == [("93.184.216.34", 80)]


def test_a_redirect_inside_is_refused(web, other_web):
    inside = other_web.give("/secret", b"[]")
    web.give("/data", b"", status=302, Location=inside)

    assert "is refused" in refused(f"{web.url}/data", hosts=(web.host,))
    assert other_web.asked == []


@pytest.mark.parametrize(
    ("entry", "host", "address", "port", "open"),
    [
        pytest.param("prom.internal", "prom.internal", "10.1.2.3", 9090, True, id="name, any port"),
        pytest.param("prom.internal:9090", "prom.internal", "10.1.2.3", 9090, True, id="name and port"),
        pytest.param("prom.internal:9090", "PROM.internal", "10.1.2.3", 9090, True, id="case of a name"),
        pytest.param("prom.internal:9090", "prom.internal", "10.1.2.3", 22, False, id="another port"),
        pytest.param("prom.internal", "other.internal", "10.1.2.3", 80, False, id="another name"),
        pytest.param(
            "prom.internal", "prom.internal", "169.254.169.254", 80, False, id="a name never opens metadata"
        ),
        pytest.param("prom.internal", "prom.internal", "fd00:ec2::254", 80, False, id="nor over IPv6"),
        pytest.param("10.1.0.0/16", "x", "10.1.2.3", 5432, True, id="network"),
        pytest.param("10.1.2.3/16", "x", "10.1.9.9", 80, True, id="network written by one of its hosts"),
        pytest.param("10.1.0.0/16", "x", "10.2.0.1", 80, False, id="outside the network"),
        pytest.param("127.0.0.1:5000", "127.0.0.1", "127.0.0.1", 5000, True, id="address and port"),
        pytest.param("127.0.0.1:5000", "127.0.0.1", "127.0.0.1", 5001, False, id="address and another port"),
        pytest.param("[::1]:9090", "::1", "::1", 9090, True, id="IPv6 address and port"),
        pytest.param(
            "169.254.169.254", "x", "169.254.169.254", 80, True, id="only its own address opens metadata"
        ),
    ],
)
def test_a_listed_host_opens_what_it_says(entry, host, address, port, open):
    assert Listed.read(entry).opens(host, ipaddress.ip_address(address), port) is open


def test_a_host_that_cannot_be_listed_is_told():
    with pytest.raises(ConnectorError, match="RMO_SOURCE_HOSTS holds 'a:port', which is no host"):
        Listed.read("a:port")


def test_the_guard_is_where_the_socket_opens():
    """The name that httpx2 keeps its network under is private: this fails when it moves."""
    with asking(Reach(), {}) as web:
        assert isinstance(web.client._transport, httpx2.HTTPTransport)
        assert isinstance(web.client._transport._pool._network_backend, Guard)


def test_no_socket_of_this_machine_is_opened(tmp_path: Path):
    with pytest.raises(httpcore2.ConnectError):
        Guard((), time.monotonic() + 1).connect_unix_socket(str(tmp_path / "x"))


def test_no_proxy_of_the_environment_is_used(web, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    web.give("/data", b"[]")

    assert fetch(Options(url=f"{web.url}/data"), YEARS, Reach(hosts=(web.host,))) == []


def test_a_host_with_several_addresses_is_tried_at_each(web, monkeypatch):
    two = [
        ipaddress.ip_address("127.0.0.2"),
        ipaddress.ip_address("127.0.0.1"),
    ]  # nothing listens on the first
    monkeypatch.setattr(guarded, "look_up", lambda host, port, seconds: two)
    web.give("/data", b"[]")
    port = web.host.partition(":")[2]

    assert fetch(Options(url=f"http://two.internal:{port}/data"), YEARS, Reach(hosts=("two.internal",))) == []


def test_a_name_server_that_says_nothing_is_left_at_the_time_limit(web, monkeypatch):
    def wait(*_: Any, **__: Any) -> list[Any]:
        web.stop.wait(5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", wait)

    with pytest.raises(ConnectorError, match="did not answer within") as caught:
        fetch(Options(url="http://slow.example.org/x"), YEARS, Reach(timeout=0.2))
    assert caught.value.passing


def test_a_host_that_is_not_there_may_come_back(monkeypatch):
    monkeypatch.setattr(guarded, "look_up", no_such_host)

    with pytest.raises(ConnectorError, match="there is no host") as caught:
        fetch(Options(url="http://gone.example.org/x"), YEARS, Reach())
    assert caught.value.passing


def no_such_host(host: str, port: int, seconds: float) -> list[Any]:
    raise httpcore2.ConnectError(f"there is no host {host}")


def looked_up(names: dict[str, Any]) -> Any:
    """Return a fake of the system's resolver; an iterator gives another answer each time."""

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        answers = names[host]
        addresses = answers if isinstance(answers, list) else [next(answers)]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return getaddrinfo


def connections(monkeypatch: pytest.MonkeyPatch, names: dict[str, Any]) -> list[tuple[str, int]]:
    """Let names lead where a test says, and note where sockets would have gone; none is opened."""
    opened: list[tuple[str, int]] = []

    def create_connection(where: tuple[str, int], *_: Any, **__: Any) -> Any:
        opened.append(where)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", looked_up(names))
    monkeypatch.setattr(socket, "create_connection", create_connection)
    return opened
