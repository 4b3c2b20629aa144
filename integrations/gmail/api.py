"""The API as the SDK builds it from the discovery document that it brings along."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any, Final

import httplib2
from googleapiclient.discovery import build_from_document
from googleapiclient.discovery_cache import get_static_doc
from googleapiclient.http import BatchHttpRequest

# https://developers.google.com/workspace/gmail/api/guides/batch
BATCH_PATH: Final = "batch/gmail/v1"


class Api:
    """The methods, built once: building them takes longer than most calls.

    Their requests are executed with a `Wire` of the thread's own, never with the connection that they were built with.
    """

    def __init__(self, api_url: str) -> None:
        document = json.loads(get_static_doc("gmail", "v1"))
        if api_url:
            # An api_endpoint in the client's options redirects neither batches nor uploads.
            document["rootUrl"] = document["baseUrl"] = api_url.rstrip("/") + "/"
        document["batchPath"] = BATCH_PATH
        self._batch_uri = document["rootUrl"] + BATCH_PATH
        service = build_from_document(document, http=httplib2.Http(timeout=1))
        self.users = service.users()
        self.messages = self.users.messages()
        self.drafts = self.users.drafts()
        self.labels = self.users.labels()
        self.history = self.users.history()

    def batch(self, callback: Callable[[str, Any, Exception | None], None]) -> Any:
        """A batch, which calls back with each request's id, answer and error."""
        return BatchHttpRequest(callback=callback, batch_uri=self._batch_uri)


@functools.cache
def gmail_api(api_url: str) -> Api:
    """The API at this address; empty means Google's. It takes a moment the first time."""
    return Api(api_url)
