"""Which web addresses may be asked: only public ones, written the usual way. Pure; it looks nothing up.

Workflows fill addresses with what viewers write, and the servers that answer send the bot on elsewhere. So each address is
judged twice: `checked` looks at how it is written, and `is_open` at the number that is really connected to, which no name,
redirect or changed record gets around. What stands in the house (lights, other programs) is reached only if the
broadcaster has named its number and port.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from yarl import URL

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Place: TypeAlias = tuple[Address, int]
"""A number and a port."""

LONGEST: Final = 2_000
_CONTROL: Final = re.compile(r"[\x00-\x20\x7f\\]")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_A_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")
_PORTS: Final = frozenset({80, 443})
_HIGH: Final = 1_024
"""Below it only the ports of the web are asked: what else listens there is mail, shells and shares."""


class Refused(Exception):
    """An address that is not asked; the text says why, and never holds the address itself."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Which numbers may be connected to.

    Attributes:
        house: Places that are not public and may be asked all the same.
    """

    house: frozenset[Place] = frozenset()

    def is_open(self, number: Address, port: int) -> bool:
        """Whether it may be connected to."""
        return (number, port) in self.house or is_public(number)

    def check(self, written: str, port: int) -> None:
        """Let pass what may be connected to, by the number as the system writes it.

        Raises:
            Refused: It is not public.
        """
        number = ipaddress.ip_address(written.partition("%")[0])
        if "%" in written or not self.is_open(number, port):
            raise Refused("it leads to this machine or into the house, where workflows may not go")


def is_public(number: Address) -> bool:
    """Whether a number is anybody's on the internet, and not this machine, its house, a group, or a way into one of them."""
    if isinstance(number, ipaddress.IPv6Address):
        if (inner := number.ipv4_mapped or _translated(number)) is not None:
            return is_public(inner)
        # Tunnels, and the old way of writing an IPv4 number in an IPv6 one: nobody needs them, and they hide where they lead.
        if number.sixtofour is not None or number.teredo is not None or int(number) >> 32 == 0:
            return False
    return number.is_global and not (number.is_multicast or number.is_reserved or number.is_unspecified)


def _translated(number: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 number behind it, on networks that have only IPv6."""
    return ipaddress.IPv4Address(int(number) & 0xFFFFFFFF) if number in _TRANSLATED else None


def checked(written: str) -> URL:
    """An address as it is written, if it is one of the web, in the usual form.

    Raises:
        Refused: It is not.
    """
    if len(written) > LONGEST:
        raise Refused(f"the address is too long; {LONGEST:,} characters are the most")
    if _CONTROL.search(written):
        raise Refused("the address has blanks or characters in it that no address has")
    try:
        url = URL(written)
        port, host = url.port, url.raw_host
    except (ValueError, UnicodeError):
        raise Refused("that is no web address") from None
    if url.scheme not in ("http", "https") or not host:
        raise Refused("a web address begins with https:// or http:// and a name")
    if url.raw_user is not None or url.raw_password is not None or "@" in url.raw_authority:
        raise Refused("an address with a name or password before the host is not asked")
    if port is None or not (port in _PORTS or port >= _HIGH):
        raise Refused("of the ports below 1024 only 80 and 443 are asked")
    _check_host(host)
    return url.with_fragment(None)


def _check_host(host: str) -> None:
    """Let a plain name or a plainly written number pass: `127.1`, `0x7f000001` and `2130706433` are ways to hide one."""
    if ":" in host:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise Refused("that is no web address") from None
        return
    labels = host.casefold().removesuffix(".").split(".")
    if _A_NUMBER.fullmatch(labels[-1]):
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise Refused(
                "a number as a host is written in the usual way: four parts, none with zeros before it"
            ) from None
        return
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Refused("that host is no name")
    if labels[-1] in ("localhost", "local", "internal", "localdomain", "lan", "home", "intranet", "onion"):
        raise Refused("it leads to this machine or into the house, where workflows may not go")


def doors_of(written: Iterable[object]) -> Doors:
    """The doors that are open when these places in the house are named, such as `192.168.1.20:8123`; others are left out."""
    return Doors(frozenset(place for each in written if (place := _place(str(each))) is not None))


def _place(written: str) -> Place | None:
    host, _, port = written.strip().rpartition(":")
    try:
        return ipaddress.ip_address(host.strip("[]")), int(port)
    except ValueError:
        return None
