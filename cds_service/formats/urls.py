"""Addresses we may call, compared part by part and never as text (`safety.md` B2, B4).

The FHIR validator once sent its token to other people's servers because an address was matched with `startsWith`
(GHSA-vr79-8m62-wh98). Here an address is taken apart once, by one parser, which takes only spellings that every other
parser reads the same way; what is left is compared as (scheme, host, port, path segments).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import unquote

MAX_LENGTH = 8_000
_DEFAULT_PORTS = {"https": 443, "http": 80}
# RFC 3986, appendix B, with a scheme and an authority that must be there
_PARTS = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?P<fragment>#.*)?"
)
_VISIBLE = re.compile(r"[!-~]*")
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>.*))?")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Where the last label is a number, browsers and C libraries read the whole host as an IPv4 address: 2130706433, 0x7f.1
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PATH = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_MAX_HOST = 253
_MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Base:
    """A server, or the part of one below a path; made by `parse_base`.

    Attributes:
        scheme: "https", or "http" on loopback.
        host: lower case; an IPv6 address in its shortest spelling, without brackets.
        port: always a number.
        path: "" or "/a/b": no slash at the end, no dot segments.
    """

    scheme: str
    host: str
    port: int
    path: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    def covers(self, url: str) -> bool:
        """Whether an absolute address is this one, or below it.

        Args:
            url: from outside, perhaps hostile; a query is allowed, a fragment and user information are not.

        Returns:
            True only for the same scheme, host and port, and a path that is the base's or continues it after a slash.
        """
        try:
            scheme, host, port, path, _ = _take_apart(url)
        except ValueError:
            return False
        ours, theirs = self.path.split("/"), path.split("/")
        return (scheme, host, port, ours) == (self.scheme, self.host, self.port, theirs[: len(ours)])

    def url(self, path_and_query: str) -> str:
        """An address below this base.

        Args:
            path_and_query: "Patient/1", "/Observation?code=1", "?page=2" or "".

        Returns:
            The absolute address.

        Raises:
            ValueError: it would leave the base, or is no path and query.
        """
        tail = path_and_query.removeprefix("/")
        url = str(self) + ("/" if tail and not tail.startswith("?") else "") + tail
        if not self.covers(url):
            raise ValueError("is not a path and query below the base address")
        return url


def parse_base(text: str, *, insecure: bool = False) -> Base:
    """Read an address that an operator registers.

    Args:
        text: "https://ehr.example.org/fhir"; a slash at its end makes no difference.
        insecure: allow http as well, where the host is loopback.

    Returns:
        Its parts, normalised.

    Raises:
        ValueError: the reason, fit to follow the name of a setting ("has a query").
    """
    scheme, host, port, path, query = _take_apart(text)
    if query:
        raise ValueError("has a query: register the address without it")
    if scheme == "http" and not (insecure and is_loopback(host)):
        raise ValueError("is http: write https (http is for this machine only)")
    return Base(scheme, host, port, path.removesuffix("/"))


def _take_apart(text: str) -> tuple[str, str, int, str, str]:
    """Scheme, host, port, path and query of an absolute http(s) address, normalised; ValueError with the reason."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"is longer than {MAX_LENGTH} characters")
    # before anything else: urllib drops tabs and newlines, browsers read a backslash as a slash
    if not _VISIBLE.fullmatch(text):
        raise ValueError("has a space, a control character or a letter outside ASCII (write such a host in punycode)")
    if "\\" in text:
        raise ValueError("has a backslash")
    parts = _PARTS.fullmatch(text)
    if not parts or parts["scheme"].lower() not in _DEFAULT_PORTS:
        raise ValueError("is not an absolute https address")
    if parts["fragment"] is not None:
        raise ValueError("has a fragment (#)")
    scheme = parts["scheme"].lower()
    host, port = _host_and_port(parts["authority"], _DEFAULT_PORTS[scheme])
    return scheme, host, port, _path(parts["path"]), parts["query"] or ""


def _host_and_port(authority: str, default_port: int) -> tuple[str, int]:
    if "@" in authority:
        raise ValueError("has user information before the host (@)")
    if "%" in authority:
        raise ValueError("has a percent sign in the host")
    parts = _AUTHORITY.fullmatch(authority)
    if not parts:
        raise ValueError("has a host that cannot be read")
    port = parts["port"]
    if port is None:
        return _host(parts["host"].lower()), default_port
    if not _PORT.fullmatch(port) or int(port) > _MAX_PORT:
        raise ValueError("has a port that is not a number from 1 to 65535")
    return _host(parts["host"].lower()), int(port)


def _host(host: str) -> str:
    if not host:
        raise ValueError("has no host")
    if host.startswith("["):
        return _ipv6(host[1:-1])
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _ipv4(host)
    if host.endswith("."):
        raise ValueError("has a dot at the end of the host")
    if len(host) > _MAX_HOST or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError("has a host that is not a name of letters, digits and hyphens")
    return host


def _ipv4(host: str) -> str:
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        raise ValueError("has an IPv4 address that is not four decimal numbers without leading zeros") from None


def _ipv6(host: str) -> str:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        raise ValueError("has brackets round what is no IPv6 address") from None
    if address.ipv4_mapped:
        raise ValueError("has an IPv4 address written as IPv6: write the four numbers")
    return address.compressed


def _path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise ValueError("has a character in the path that must be percent-encoded")
    segments = path.split("/")[1:]
    if "" in segments[:-1]:
        raise ValueError("has an empty segment in the path (//)")
    for segment in segments:
        plain = _decoded(segment)
        if "/" in plain or "\\" in plain:
            raise ValueError("has an encoded slash in the path")
        # Tomcat reads "..;x" as ".."
        if plain.partition(";")[0] in {".", ".."}:
            raise ValueError("has a dot segment in the path")
    return _ENCODED.sub(lambda found: found[0].upper(), path)


def _decoded(segment: str) -> str:
    """Decoded until nothing is left to decode: a proxy and the server behind it may each do it once."""
    while (plain := unquote(segment)) != segment:
        segment = plain
    return plain


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its own words: "localhost", or a loopback address without brackets."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
