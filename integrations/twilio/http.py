"""The SDK's HTTP client, made to do what its own does not.

The original ignores its timeout, can't be sent to another host, and hides the response's headers from its
exceptions. This one keeps the SDK's interface and turns every bad answer into our errors on the spot, which
also spares us the untyped exception that the SDK raises for failed lists.
"""

import asyncio
import json
from typing import Any

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    TCPConnector,
    encode_basic_auth,
)
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from yarl import URL

from integrations.errors import ProviderError, RateLimited, Rejected, Transient
from integrations.waiting import seconds_of


class HttpClient(AsyncTwilioHttpClient):  # type: ignore[misc]  # the SDK has no types
    """Build it inside the running loop. `api_url` replaces the scheme and host of every request."""

    def __init__(self, *, api_url: str = "", timeout_s: float = 10.0, connect_timeout_s: float = 5.0) -> None:
        asyncio.get_running_loop()
        # pool_connections=False keeps the original from making a session of its own.
        super().__init__(pool_connections=False)
        self._api_url = URL(api_url.rstrip("/")) if api_url else None
        self.session = ClientSession(
            connector=TCPConnector(limit=50),
            timeout=ClientTimeout(total=timeout_s, sock_connect=min(connect_timeout_s, timeout_s)),
        )

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Send one request, once. Raises `Transient` or `Rejected` for anything but success."""
        sent_headers = dict(headers or {})
        if auth is not None:
            sent_headers["Authorization"] = encode_basic_auth(*auth)
        options: dict[str, Any] = {"timeout": ClientTimeout(total=timeout)} if timeout else {}
        try:
            async with self.session.request(
                method.upper(),
                self._direct(url),
                params=params,
                data=data,
                headers=sent_headers,
                allow_redirects=allow_redirects,
                **options,
            ) as response:
                text = await response.text()
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            raise Transient(f"could not connect: {error!r}") from error
        except (ClientError, TimeoutError) as error:
            raise Transient(f"the answer was lost: {error!r}", ambiguous=True) from error
        if response.status >= 400:
            raise error_of(response.status, text, response.headers.get("Retry-After"))
        return Response(response.status, text, response.headers)

    async def open(self, url: str, auth: tuple[str, str]) -> ClientResponse:
        """Get a file: the response with its headers, whose body is still to be read. Raises what `request` does.

        Each part of the body has the time limit of a whole answer otherwise. Media may lie on another host; aiohttp
        sends the credential to the first one only.
        """
        limit_s = self.session.timeout.total
        timeout = ClientTimeout(total=None, sock_connect=self.session.timeout.sock_connect, sock_read=limit_s)
        try:
            response = await self.session.get(
                self._direct(url), headers={"Authorization": encode_basic_auth(*auth)}, timeout=timeout
            )
            if response.status < 400:
                return response
            async with response:
                text = await response.text()
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            raise Transient(f"could not connect: {error!r}") from error
        except (ClientError, TimeoutError) as error:
            raise Transient(f"the answer was lost: {error!r}", ambiguous=True) from error
        raise error_of(response.status, text, response.headers.get("Retry-After"))

    def _direct(self, url: str) -> URL:
        # Twilio's paging links come through here too, so they need no care of their own.
        target = URL(url)
        if self._api_url is None:
            return target
        base = self._api_url
        path = base.raw_path.rstrip("/") + target.raw_path
        return base.with_path(path, encoded=True).with_query(target.query)


def error_of(status: int, text: str, retry_after: str | None) -> ProviderError:
    """Return our error for an answer with a status of 400 or more.

    A 5xx is ambiguous: the call may have been placed before something behind it broke.
    """
    try:
        body = json.loads(text)
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    code = str(body.get("code") or status)
    message = str(body.get("message") or body.get("detail") or body.get("title") or f"HTTP {status}")
    wait_s = seconds_of(retry_after)
    if status == 429:
        return RateLimited(message, wait_s)
    if status == 408 or status >= 500:
        return Transient(f"{message} (HTTP {status}, error {code})", wait_s, ambiguous=True)
    return Rejected(code, message, status)
