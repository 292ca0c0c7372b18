"""Only registered addresses are called: rows B2 and B4.

The oracle of the generated tests is made of the parsers that could be fooled: the standard library's, and urllib3's,
which is the one that decides where a request goes.
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from cds_service.formats.urls import MAX_LENGTH, Base, parse_base

EHR = parse_base("https://ehr.example.org/fhir/r4")


# --- what is read


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://ehr.example.org/fhir", Base("https", "ehr.example.org", 443, "/fhir")),
        ("https://ehr.example.org/fhir/", Base("https", "ehr.example.org", 443, "/fhir")),
        ("https://ehr.example.org", Base("https", "ehr.example.org", 443, "")),
        ("HTTPS://EHR.Example.ORG:443/FHIR", Base("https", "ehr.example.org", 443, "/FHIR")),
        ("https://ehr.example.org:8443/fhir", Base("https", "ehr.example.org", 8443, "/fhir")),
        ("https://xn--mnchen-3ya.example/fhir", Base("https", "xn--mnchen-3ya.example", 443, "/fhir")),
        ("https://10.1.2.3/fhir", Base("https", "10.1.2.3", 443, "/fhir")),
        ("https://[2001:DB8:0:0::1]/fhir", Base("https", "2001:db8::1", 443, "/fhir")),
        ("https://ehr.example.org/%c3%a9t%c3%a9", Base("https", "ehr.example.org", 443, "/%C3%A9t%C3%A9")),
    ],
)
def test_a_base_is_read_into_one_spelling(text: str, expected: Base) -> None:
    assert parse_base(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not an absolute https address"),
        ("ehr.example.org/fhir", "not an absolute https address"),
        ("//ehr.example.org/fhir", "not an absolute https address"),
        ("ftp://ehr.example.org/fhir", "not an absolute https address"),
        ("https:/ehr.example.org/fhir", "not an absolute https address"),
        ("https:///fhir", "no host"),
        ("https://:443/fhir", "no host"),
        ("https://user@ehr.example.org/fhir", "user information"),
        ("https://ehr.example.org@evil.example/fhir", "user information"),
        ("https://ehr%2eexample.org/fhir", "percent sign in the host"),
        ("https://ehr.example.org/fhir?x=1", "has a query"),
        ("https://ehr.example.org/fhir?", "has a query"),
        ("https://ehr.example.org/fhir#", "fragment"),
        ("https://ehr.example.org\\@evil.example/fhir", "backslash"),
        ("https://ehr.example.org/fhir\n", "control character"),
        ("https://ehr.exa\tmple.org/fhir", "control character"),
        ("https://ehr.example.org/fhir /x", "space"),
        ("https://münchen.example/fhir", "punycode"),
        ("https://ehr.example.org．evil.example/fhir", "outside ASCII"),
        ("https://ehr.example.org./fhir", "dot at the end"),
        ("https://ehr..example.org/fhir", "not a name"),
        ("https://-ehr.example.org/fhir", "not a name"),
        ("https://ehr_1.example.org/fhir", "not a name"),
        ("https://" + "a" * 64 + ".example/fhir", "not a name"),
        ("https://" + "a." * 127 + "example/fhir", "not a name"),
        ("https://2130706433/fhir", "IPv4"),
        ("https://127.1/fhir", "IPv4"),
        ("https://0x7f.0.0.1/fhir", "IPv4"),
        ("https://0x7f000001/fhir", "IPv4"),
        ("https://0177.0.0.1/fhir", "IPv4"),
        ("https://ehr.example.256/fhir", "IPv4"),
        ("https://[::1/fhir", "cannot be read"),
        ("https://[ehr.example.org]/fhir", "no IPv6 address"),
        ("https://[fe80::1%25eth0]/fhir", "percent sign"),
        ("https://[::ffff:127.0.0.1]/fhir", "IPv4 address written as IPv6"),
        ("https://::1/fhir", "a port that is not"),
        ("https://ehr.example.org:/fhir", "port"),
        ("https://ehr.example.org:0/fhir", "port"),
        ("https://ehr.example.org:0443/fhir", "port"),
        ("https://ehr.example.org:65536/fhir", "port"),
        ("https://ehr.example.org:443:443/fhir", "port"),
        ("https://ehr.example.org:٤٤٣/fhir", "outside ASCII"),
        ("https://ehr.example.org/a/../fhir", "dot segment"),
        ("https://ehr.example.org/./fhir", "dot segment"),
        ("https://ehr.example.org/fhir/..", "dot segment"),
        ("https://ehr.example.org/%2e%2E/fhir", "dot segment"),
        ("https://ehr.example.org/%252e%252e/fhir", "dot segment"),
        ("https://ehr.example.org/..;/fhir", "dot segment"),
        ("https://ehr.example.org/a%2Ffhir", "encoded slash"),
        ("https://ehr.example.org/a%255cfhir", "encoded slash"),
        ("https://ehr.example.org//fhir", "empty segment"),
        ("https://ehr.example.org/fhir//", "empty segment"),
        ("https://ehr.example.org/fh%ir", "percent-encoded"),
        ('https://ehr.example.org/fh"ir', "percent-encoded"),
        ("https://ehr.example.org/" + "a" * MAX_LENGTH, "longer than"),
    ],
)
def test_b2_an_address_that_could_be_read_two_ways_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_base(text)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_b4_http_is_for_this_machine_and_only_where_it_is_allowed(host: str) -> None:
    with pytest.raises(ValueError, match="is http"):
        parse_base(f"http://{host}:8080/fhir")
    assert str(parse_base(f"http://{host}:8080/fhir", insecure=True)) == f"http://{host}:8080/fhir"


@pytest.mark.parametrize("host", ["ehr.example.org", "10.0.0.1", "localhost.example.org", "[2001:db8::1]", "128.0.0.1"])
def test_b4_http_to_another_machine_is_never_allowed(host: str) -> None:
    with pytest.raises(ValueError, match="is http"):
        parse_base(f"http://{host}/fhir", insecure=True)


@pytest.mark.parametrize(
    "text",
    ["https://ehr.example.org/fhir", "https://ehr.example.org", "https://[2001:db8::1]:8443/a/b", "https://10.1.2.3"],
)
def test_a_base_written_out_and_read_again_is_the_same(text: str) -> None:
    assert str(parse_base(text)) == text


# --- what is covered


@pytest.mark.parametrize(
    "url",
    [
        "https://ehr.example.org/fhir/r4",
        "https://ehr.example.org/fhir/r4/",
        "https://ehr.example.org/fhir/r4/Patient/1",
        "https://ehr.example.org/fhir/r4/Observation?code=http://loinc.org|1989-3&_count=50",
        "https://ehr.example.org/fhir/r4?_getpages=a-b&_bundletype=searchset",
        "https://ehr.example.org:443/fhir/r4/Patient",
        "HTTPS://EHR.EXAMPLE.ORG/fhir/r4/Patient",
        "https://ehr.example.org/fhir/r4/Patient/$everything",
        "https://ehr.example.org/fhir/r4/Patient?next=../../admin",
    ],
)
def test_b2_what_is_at_or_below_the_base_is_covered(url: str) -> None:
    assert EHR.covers(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://ehr.example.org/fhir",
        "https://ehr.example.org/fhir/r4b",
        "https://ehr.example.org/fhir/r4;x/Patient",
        "https://ehr.example.org/FHIR/R4/Patient",
        "https://ehr.example.org/fhir/%72%34/Patient",
        "https://ehr.example.org/fhir/r4/../../admin",
        "https://ehr.example.org/fhir/r4/%2e%2e/admin",
        "https://ehr.example.org/fhir/r4/..%2fadmin",
        "https://ehr.example.org/fhir/r4/..;/admin",
        "https://ehr.example.org/fhir/r4/%252e%252e/admin",
        "https://ehr.example.org//fhir/r4/Patient",
        "https://ehr.example.org:8443/fhir/r4/Patient",
        "http://ehr.example.org/fhir/r4/Patient",
        "http://ehr.example.org:443/fhir/r4/Patient",
        "https://ehr.example.org.evil.example/fhir/r4/Patient",
        "https://ehr.example.org.evil.example@ehr.example.org/fhir/r4/Patient",
        "https://ehr.example.org@evil.example/fhir/r4/Patient",
        "https://ehr.example.org:443@evil.example/fhir/r4/Patient",
        "https://evil.example/fhir/r4/Patient",
        "https://evil.example/?https://ehr.example.org/fhir/r4",
        "https://evil.example#@ehr.example.org/fhir/r4",
        "https://evil.example\\@ehr.example.org/fhir/r4",
        "https://ehr.example.org./fhir/r4/Patient",
        "https://ehr.example.org/fhir/r4/Patient#x",
        "https://ehr%2eexample.org/fhir/r4/Patient",
        "https://еhr.example.org/fhir/r4/Patient",
        "//ehr.example.org/fhir/r4/Patient",
        "/fhir/r4/Patient",
        "Patient/1",
        " https://ehr.example.org/fhir/r4/Patient",
        "https://ehr.example.org/fhir/r4/Patient\r\nHost: evil.example",
        "",
    ],
)
def test_b2_a_look_alike_is_not_covered(url: str) -> None:
    assert not EHR.covers(url)


def test_b2_a_base_without_a_path_covers_its_whole_server_and_no_other() -> None:
    base = parse_base("https://ehr.example.org")
    assert [base.covers(f"https://ehr.example.org{tail}") for tail in ("", "/", "/a/b", "?x=1")] == [True] * 4
    assert not base.covers("https://ehr.example.organic/a")


def test_b2_other_spellings_of_an_ipv6_address_are_the_same_host() -> None:
    assert parse_base("https://[2001:db8::1]/fhir").covers("https://[2001:0DB8:0:0:0:0:0:1]:443/fhir/Patient")


# --- what is called


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ("Patient/1", "https://ehr.example.org/fhir/r4/Patient/1"),
        ("/Patient/1", "https://ehr.example.org/fhir/r4/Patient/1"),
        ("Observation?code=1", "https://ehr.example.org/fhir/r4/Observation?code=1"),
        ("?_getpages=1", "https://ehr.example.org/fhir/r4?_getpages=1"),
        ("", "https://ehr.example.org/fhir/r4"),
    ],
)
def test_an_address_below_the_base(tail: str, expected: str) -> None:
    assert EHR.url(tail) == expected


@pytest.mark.parametrize(
    "tail", ["../admin", "Patient/../../admin", "//evil.example", "Patient#x", "Pat ient", "%2e%2e/x"]
)
def test_b2_no_path_leads_out_of_the_base(tail: str) -> None:
    with pytest.raises(ValueError, match="below the base"):
        EHR.url(tail)


# --- whatever is sent

_PIECES = [
    "https://", "http://", "HTTPS://", "//", "/", "\\", "ehr.example.org", "EHR.example.org", "ehr.example.org.evil",
    "evil.example", "ehr%2eexample.org", "ehr。example.org", "[::1]", "2130706433", "0x7f.1", "@", "user:pw@", ":443", ":80",
    ":8443", ":", ".", "..", "%2e%2e", "%252e", "..;", ";", "%2f", "%5c", "/fhir", "/fhir/r4", "/fhir/r4/", "/fhir/r4b",
    "fhir", "r4", "?", "?x=1", "#", "#x", "\t", "\n", " ", "\x00", "Patient",
]  # fmt: skip
_WHOLE = "https://ehr.example.org/fhir/r4/Patient/1?x=1"


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A covered address with up to four pieces put in, taken out or written over."""
    url = _WHOLE
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(url)))
        gone = draw(st.integers(0, 6))
        url = url[:at] + draw(st.sampled_from(["", *_PIECES]) | st.characters()) + url[at + gone :]
    return url


def _tuple(url: str) -> tuple[str, str | None, int, list[str]]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or 443, unquote(parts.path).split("/")[:3]


def _tuple_called(url: str) -> tuple[str | None, str | None, int, list[str]]:
    parts = parse_url(url)  # the one that decides where urllib3 connects to, and the path it asks for
    return parts.scheme, parts.host, parts.port or 443, unquote(parts.path or "").split("/")[:3]


@given(mutated() | st.lists(st.sampled_from(_PIECES), max_size=9).map("".join))
def test_b2_a_covered_address_goes_to_the_registered_server_whoever_parses_it(url: str) -> None:
    if EHR.covers(url):
        expected = ("https", "ehr.example.org", 443, ["", "fhir", "r4"])
        assert (_tuple(url), _tuple_called(url)) == (expected, expected)


@given(mutated())
def test_b2_a_base_that_is_read_is_the_server_other_parsers_see(url: str) -> None:
    try:
        base = parse_base(url)
    except ValueError:
        return
    seen = parse_url(url)
    assert (base.scheme, base.host, base.port) == (seen.scheme, (seen.host or "").strip("[]"), seen.port or 443)
    assert parse_base(str(base)) == base
    assert base.covers(str(base))


@given(st.lists(st.from_regex(r"[A-Za-z0-9_$-]{1,8}", fullmatch=True), max_size=4), st.text("abc=&|:/?.1", max_size=20))
def test_b2_every_ordinary_address_below_the_base_is_covered(segments: list[str], query: str) -> None:
    url = EHR.url("/".join(segments) + "?" + query)
    assert EHR.covers(url)
    assert urlsplit(url).path.startswith("/fhir/r4")
