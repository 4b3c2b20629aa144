"""Cookies: what they are called, and how long and where browsers keep them.

Behind https each has a prefix that browsers hold to (RFC 6265bis, section 4.1.3; ASVS 5.0, 3.3.1 and 3.3.3): `__Host-`, so that
no other host of the same domain can plant one, or `__Secure-` for the refresh token, which goes only to the paths that need it,
and counts only beside the browser's `__Host-` cookie. On http (a laptop, the tests) they have their plain names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

Cookies = dict[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie of ours. `path` is where it is sent; with `everywhere`, it is so on http only, for want of a prefix."""

    plain: str
    path: str
    same_site: Literal["Strict", "Lax"]
    secure: bool
    everywhere: bool = False

    @property
    def name(self) -> str:
        """What browsers know it by."""
        if not self.secure:
            return self.plain
        return ("__Host-" if self.everywhere else "__Secure-") + self.plain

    def holds(self, value: str, max_age_s: int) -> Cookies:
        """The browser is to keep this for so long."""
        path = "/" if self.secure and self.everywhere else self.path
        options = {"httponly": True, "samesite": self.same_site, "secure": self.secure, "path": path, "max_age": max_age_s}
        return {self.name: {"value": value, **options}}

    def forgotten(self) -> Cookies:
        """The browser is to forget it."""
        return self.holds("", 0)

    def of(self, request: web.Request) -> str:
        """What a request has brought; empty when nothing."""
        return request.cookies.get(self.name, "")


def without_prefix(cookie: Cookie, request: web.Request) -> str:
    """What a browser kept under the name from before there were prefixes; empty where that is the name still."""
    return request.cookies.get(cookie.plain, "") if cookie.secure else ""


def forget_without_prefix(cookie: Cookie) -> Cookies:
    """The browser is to forget what it kept under the name from before there were prefixes."""
    options = {"httponly": True, "samesite": cookie.same_site, "secure": cookie.secure, "path": cookie.path, "max_age": 0}
    return {cookie.plain: {"value": "", **options}}
