"""As much of S3 as an object store needs, over its wire protocol, in memory, with every request's signature checked.

https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html and .../sig-v4-header-based-auth.html. Addresses are path-style.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from aiohttp import web

KEY, SECRET, REGION, BUCKET = "key-of-the-tests", "secret-of-the-tests", "eu-central-1", "bucket"
_LEAST_PART: Final = 5 * 1024 * 1024
_AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>[^,]+), ?SignedHeaders=(?P<names>[^,]+), ?Signature=(?P<signature>\w+)"
)


@dataclass
class Stored:
    """One object."""

    data: bytes
    content_type: str


@dataclass
class S3:
    """A running server."""

    url: str = ""
    objects: dict[str, Stored] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def options(self) -> dict[str, str]:
        """The variables that lead here."""
        return {
            "AWS_ENDPOINT": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
        }

    async def start(self) -> web.AppRunner:
        """Listen; the runner is the caller's to clean up."""
        app = web.Application(client_max_size=2 * _LEAST_PART)
        app.router.add_route("*", f"/{BUCKET}{{slash:/?}}{{key:.*}}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        if not _is_signed(request, body):
            return _error(403, "SignatureDoesNotMatch")
        key, query = request.match_info["key"], request.query
        self.asked.append(f"{request.method} {key}{'?' + '&'.join(sorted(query)) if query else ''}")
        if request.method in ("GET", "HEAD"):
            return self._read(request, key)
        if request.method == "DELETE":
            self.uploads.pop(query.get("uploadId", ""), None)
            return web.Response(status=204)
        if "delete" in query:
            return self._delete(body)
        if "uploads" in query:
            upload_id = secrets.token_hex(8)
            self.uploads[upload_id] = {}
            self.objects[f"type of {upload_id}"] = Stored(b"", request.content_type)
            return _xml("InitiateMultipartUploadResult", Bucket=BUCKET, Key=key, UploadId=upload_id)
        if "partNumber" in query:
            self.uploads[query["uploadId"]][int(query["partNumber"])] = body
            return web.Response(headers={"ETag": _etag(body)})
        if "uploadId" in query:
            return self._complete(key, query["uploadId"], body)
        self.objects[key] = Stored(body, request.content_type)
        return web.Response(headers={"ETag": _etag(body)})

    def _delete(self, body: bytes) -> web.Response:
        root = ET.Element("DeleteResult")
        for each in ET.fromstring(body).iter():
            if each.tag.endswith("Key"):
                self.objects.pop(each.text or "", None)
                # S3 calls deleted what was never there.
                ET.SubElement(ET.SubElement(root, "Deleted"), "Key").text = each.text
        return web.Response(body=ET.tostring(root), content_type="application/xml")

    def _complete(self, key: str, upload_id: str, body: bytes) -> web.Response:
        parts = self.uploads.pop(upload_id)
        wanted = [int(each.text or 0) for each in ET.fromstring(body).iter() if each.tag.endswith("PartNumber")]
        if any(len(parts[number]) < _LEAST_PART for number in wanted[:-1]):
            return _error(400, "EntityTooSmall")
        data = b"".join(parts[number] for number in wanted)
        self.objects[key] = Stored(data, self.objects.pop(f"type of {upload_id}").content_type)
        return _xml("CompleteMultipartUploadResult", Bucket=BUCKET, Key=key, ETag=_etag(data))

    def _read(self, request: web.Request, key: str) -> web.Response:
        found = self.objects.get(key)
        if found is None:
            return _error(404, "NoSuchKey")
        headers = {"ETag": _etag(found.data), "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
        asked = request.http_range
        if asked.start is None and asked.stop is None:
            headers["Content-Length"] = str(len(found.data))
            return web.Response(body=found.data, headers=headers, content_type=found.content_type)
        start, stop, size = asked.start or 0, min(asked.stop or len(found.data), len(found.data)), len(found.data)
        if start >= size:
            return _error(416, "InvalidRange")
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        return web.Response(status=206, body=found.data[start:stop], headers=headers, content_type=found.content_type)


def _is_signed(request: web.Request, body: bytes) -> bool:
    match = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
    if match is None or match["key"] != KEY:
        return False
    digest = request.headers["x-amz-content-sha256"]
    if digest not in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()):
        return False
    names = match["names"].split(";")
    query = "&".join(sorted(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in request.query.items()))
    headers = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in names)
    canonical = "\n".join([request.method, request.raw_path.partition("?")[0], query, headers, match["names"], digest])
    text = "\n".join(
        ["AWS4-HMAC-SHA256", request.headers["x-amz-date"], match["scope"], hashlib.sha256(canonical.encode()).hexdigest()]
    )
    made = f"AWS4{SECRET}".encode()
    for part in match["scope"].split("/"):
        made = hmac.new(made, part.encode(), hashlib.sha256).digest()
    return hmac.compare_digest(hmac.new(made, text.encode(), hashlib.sha256).hexdigest(), match["signature"])


def _etag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'


def _xml(name: str, status: int = 200, **values: str) -> web.Response:
    root = ET.Element(name)
    for child, value in values.items():
        ET.SubElement(root, child).text = value
    return web.Response(status=status, body=ET.tostring(root), content_type="application/xml")


def _error(status: int, code: str) -> web.Response:
    return _xml("Error", status, Code=code, Message=code)
