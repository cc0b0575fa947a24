"""Asking the web: the guard sits where the socket opens, and bytes, time and redirects are capped."""

import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpcore2
import httpx2
from ssrfguard import Policy

from rmo.connectors.shared.asked import Reach
from rmo.connectors.shared.numbers import shown
from rmo.domain.errors import ConnectorError

MAX_REDIRECTS = 3
REASON_BYTES = 2_000
OPEN_PORTS = (80, 443)  # of a host that is not listed
REDIRECTS = (301, 302, 303, 307, 308)
PASSING = (408, 425, 429, 500, 502, 503, 504)
ENCODINGS = ("", "identity", "gzip", "deflate")
# What a listed name may lead to. Where clouds keep their credentials is in none of these, or below.
PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "::1/128", "fc00::/7")
)
CREDENTIALS = (ipaddress.ip_address("fd00:ec2::254"),)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Blocked(httpcore2.ConnectError):
    """The address is not one that a source may reach."""


@dataclass(frozen=True)
class Listed:
    """One entry of the hosts that an administrator opened: a name or a network, and perhaps one port."""

    name: str
    network: Network | None
    port: int | None

    @classmethod
    def read(cls, entry: str) -> "Listed":
        """Read name, name:port, address, [address]:port or network."""
        with suppress(ValueError):
            return cls("", ipaddress.ip_network(entry.strip("[]"), strict=False), None)
        try:
            parts = urlsplit(f"//{entry}")
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise ConnectorError(
                f"RMO_SOURCE_HOSTS holds {entry!r}, which is no host; write name:port."
            ) from error
        with suppress(ValueError):
            return cls("", ipaddress.ip_network(host), port)
        return cls(host, None, port)

    def opens(self, host: str, address: Address, port: int) -> bool:
        """Whether this entry lets a source reach an address under a host's name."""
        if self.port not in (None, port):
            return False
        if self.network is not None:
            return address in self.network
        private = any(address in network for network in PRIVATE) and address not in CREDENTIALS
        return host.lower() == self.name.lower() and (private or Policy().permits_address(address))


class Guard(httpcore2.SyncBackend):
    """Opens sockets only to addresses that are allowed, and to exactly the address that was looked at."""

    def __init__(self, hosts: Iterable[str], deadline: float) -> None:
        self.listed = [Listed.read(entry) for entry in hosts]
        self.deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Open a socket, or raise Blocked."""
        addresses = look_up(host, port, self._left())
        if not addresses or not all(self._permits(host, address, port) for address in addresses):
            raise Blocked(f"{host}:{port}")
        for address in addresses[:-1]:
            with suppress(httpcore2.ConnectError):
                return self._opened(address, port, local_address, socket_options)
        return self._opened(addresses[-1], port, local_address, socket_options)

    def _opened(
        self,
        address: Address,
        port: int,
        local_address: str | None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None,
    ) -> httpcore2.NetworkStream:
        stream = super().connect_tcp(str(address), port, self._left(), local_address, socket_options)
        return Hurried(stream, self.deadline)

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Refuse: a socket of this machine is no source."""
        raise Blocked(path)

    def _permits(self, host: str, address: Address, port: int) -> bool:
        if any(entry.opens(host, address, port) for entry in self.listed):
            return True
        return port in OPEN_PORTS and Policy().permits_address(address)

    def _left(self) -> float:
        return seconds_left(self.deadline)


class Hurried(httpcore2.NetworkStream):
    """A connection that ends at a deadline, however slowly the other side drips."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float) -> None:
        self.stream, self.deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there."""
        return self.stream.read(max_bytes, seconds_left(self.deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write everything."""
        self.stream.write(buffer, seconds_left(self.deadline))

    def close(self) -> None:
        """Close the connection."""
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """Go on under TLS, with the same deadline."""
        stream = self.stream.start_tls(ssl_context, server_hostname, seconds_left(self.deadline))
        return Hurried(stream, self.deadline)

    def get_extra_info(self, info: str) -> Any:
        """Return what is known about the connection."""
        return self.stream.get_extra_info(info)


def seconds_left(deadline: float) -> float:
    """Return the time until a deadline, or raise what a connection raises that took too long."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the deadline has passed")
    return left


def look_up(host: str, port: int, seconds: float) -> list[Address]:
    """Return a host's addresses. The system's resolver knows no time limit, so it gets a thread of its own."""
    found: list[Any] = []

    def resolve() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)

    thread = threading.Thread(target=resolve, daemon=True)
    thread.start()
    thread.join(seconds)
    if not found:
        raise httpcore2.ConnectTimeout(f"looking up {host}")
    if isinstance(found[0], Exception):
        raise httpcore2.ConnectError(f"there is no host {host}") from found[0]
    return [ipaddress.ip_address(entry[4][0].partition("%")[0]) for entry in found[0]]


@dataclass(frozen=True)
class Answer:
    """What a server said, whole."""

    url: str
    content: bytes
    content_type: str


@dataclass
class Asking:
    """One source's questions: they share a deadline and an allowance of bytes."""

    client: httpx2.Client
    deadline: float
    seconds: float
    bytes_left: int
    max_bytes: int
    headers: Mapping[str, str] = field(default_factory=dict)

    def get(self, url: str, params: Mapping[str, str]) -> Answer:
        """Return the answer to a GET, or raise ConnectorError that names the host and says what is wrong."""
        asked = _address(url).copy_merge_params(params)
        headers = self.headers
        for _ in range(MAX_REDIRECTS + 1):
            with self._told(asked), self.client.stream("GET", asked, headers=headers) as response:
                if response.status_code not in REDIRECTS or "location" not in response.headers:
                    return self._answer(response)
                further = _address(response.headers["location"], asked)
            if _origin(further) != _origin(asked):
                headers = {}  # another host does not get this one's secrets
            asked = further
        raise ConnectorError(
            f"{shown_url(_address(url))} leads from one address to the next, more than {MAX_REDIRECTS} times."
        )

    def _answer(self, response: httpx2.Response) -> Answer:
        name = shown_url(response.url)
        _check_status(response, name)
        if response.headers.get("content-encoding", "").lower() not in ENCODINGS:
            raise ConnectorError(f"{name} answers in an encoding that was not asked for.")
        content = bytearray()
        for chunk in response.iter_bytes(65_536):
            content += chunk
            if len(content) > self.bytes_left:
                raise ConnectorError(
                    f"{name} gives more than the {self.max_bytes:,} bytes that a source may have."
                )
        self.bytes_left -= len(content)
        return Answer(name, bytes(content), response.headers.get("content-type", ""))

    @contextmanager
    def _told(self, url: httpx2.URL) -> Iterator[None]:
        """Turn what goes wrong on the way into a sentence."""
        name = shown_url(url)
        try:
            yield
        except httpx2.TimeoutException as error:
            raise ConnectorError(
                f"{name} did not answer within {self.seconds:g} seconds.", passing=True
            ) from error
        except httpx2.HTTPError as error:
            raise _failure(name, error) from error


@contextmanager
def asking(reach: Reach, headers: Mapping[str, str]) -> Iterator[Asking]:
    """Open what one source asks the web with. The headers may hold secrets: they go to the first host alone."""
    deadline = time.monotonic() + reach.timeout
    transport = httpx2.HTTPTransport(verify=_certificates(), trust_env=False)
    transport._pool._network_backend = Guard(reach.hosts, deadline)  # httpx2 has no public way
    usual = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "rmo"}
    with httpx2.Client(
        transport=transport, trust_env=False, follow_redirects=False, timeout=reach.timeout, headers=usual
    ) as client:
        yield Asking(client, deadline, reach.timeout, reach.max_bytes, reach.max_bytes, headers)


@cache
def _certificates() -> ssl.SSLContext:
    """Return whom to trust; reading it takes longer than many a feed's answer."""
    return httpx2.create_ssl_context(trust_env=False)


def _address(text: str, base: httpx2.URL | None = None) -> httpx2.URL:
    """Return an address of the web, or raise ConnectorError."""
    try:
        url = base.join(text) if base else httpx2.URL(text)
    except (httpx2.InvalidURL, ValueError, TypeError) as error:
        raise ConnectorError(f"{shown(text.partition('?')[0])} is not an address of the web.") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ConnectorError(f"{shown_url(url)} is not an address of the web.")
    return url


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def shown_url(url: httpx2.URL) -> str:
    """Return an address as a message may show it: without what follows the question mark, which may be a secret."""
    return f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}{url.path}"


def _check_status(response: httpx2.Response, name: str) -> None:
    status = response.status_code
    if status == 200:
        return
    wait = response.headers.get("retry-after", "")
    said = {
        401: "wants a sign-in; check the source's secret",
        403: "refuses to answer; check the source's secret and rights",
        404: "has nothing there; check the address",
        429: "is asked too often" + (f" and wants a pause of {wait[:40]} seconds" if wait.isdigit() else ""),
    }.get(status, "has a fault of its own" if status >= 500 else "does not answer with data")
    raise ConnectorError(f"{name} {said} (status {status}{_reason(response)}).", passing=status in PASSING)


def _reason(response: httpx2.Response) -> str:
    """Return what an answer in JSON gives as its reason, as Prometheus does."""
    if response.status_code not in (400, 422) or "json" not in response.headers.get("content-type", ""):
        return ""
    start = next(response.iter_bytes(REASON_BYTES), b"")
    with suppress(ValueError):
        said = json.loads(start)
        if isinstance(said, dict) and isinstance(said.get("error"), str):
            return f": {shown(said['error'])}"
    return ""


def _failure(name: str, error: Exception) -> ConnectorError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Blocked):
            return ConnectorError(
                f"{name} is refused: its address is not one that sources may reach. An administrator can list it "
                "in RMO_SOURCE_HOSTS."
            )
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ConnectorError(f"{name} cannot prove who it is: {cause.verify_message}.")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx2.DecodingError):
        return ConnectorError(f"{name} gives an answer that does not unpack.", passing=True)
    return ConnectorError(f"{name} cannot be reached: {error or type(error).__name__}.", passing=True)
