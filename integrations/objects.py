"""Files in a folder or in S3, through `obstore` (the Rust crate object_store)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, S3Store

from integrations.errors import Rejected, Transient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obstore import Attributes, GetOptions
    from obstore.store import ClientConfig, RetryConfig, S3Config

PROVIDER: Final = "objects"
_S3: Final = "s3://"
# S3 takes parts of 5 MiB or more; a recording is in memory by no more than this.
_PART: Final = 5 * 1024 * 1024
_PIECE: Final = 64 * 1024
_CLIENT: Final[ClientConfig] = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(minutes=5)}
_RETRY: Final[RetryConfig] = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}


def open_objects(location: str, options: Mapping[str, str]) -> Objects:
    """The store at `location`: a folder (made when it is missing) or s3://bucket/prefix.

    `options` are the usual AWS_... variables; without keys among them the machine's own role is asked for. Raises
    ValueError when they make no sense, OSError when the folder can't be made.
    """
    if not location.startswith(_S3):
        Path(location).mkdir(mode=0o700, parents=True, exist_ok=True)
        return Objects(LocalStore(prefix=location), keeps_types=False)
    bucket, _, prefix = location.removeprefix(_S3).partition("/")
    config = cast("S3Config", {name.lower(): value for name, value in options.items()})
    try:
        store = S3Store(bucket, prefix=prefix or None, config=config, client_options=_CLIENT, retry_config=_RETRY)
    except BaseError as error:
        raise ValueError(f"{location} can't be used: {_first_line(error)}") from error
    return Objects(store, keeps_types=True)


class Objects:
    """The `ObjectStore` port. It holds no connection that would have to be closed.

    `keeps_types`: a folder has no place for a file's content type.
    """

    def __init__(self, store: LocalStore | S3Store, *, keeps_types: bool) -> None:
        self._store = store
        self._keeps_types = keeps_types

    async def put(self, key: str, chunks: AsyncIterator[bytes], content_type: str) -> int:
        """Store what comes under `key`. What `chunks` raises is raised, and then nothing has changed."""
        taken = 0

        async def counted() -> AsyncIterator[bytes]:
            nonlocal taken
            async for chunk in chunks:
                taken += len(chunk)
                yield chunk

        attributes: Attributes | None = {"Content-Type": content_type} if self._keeps_types else None
        with _translated("put"):
            await obstore.put_async(self._store, key, counted(), attributes=attributes, chunk_size=_PART)
        return taken

    async def size(self, key: str) -> int:
        """How many bytes there are."""
        with _translated("size"):
            return (await obstore.head_async(self._store, key))["size"]

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to and without `end`; nothing where the file does not reach."""
        size = await self.size(key)
        last = size if end is None else min(end, size)
        if start >= last:
            return
        options: GetOptions = {"range": (start, last)}
        with _translated("read"):
            found = await obstore.get_async(self._store, key, options=options)
            async for piece in found.stream(min_chunk_size=_PIECE):
                yield bytes(piece)

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        """The keys below a folder ("erasures/"), in no order."""
        with _translated("keys"):
            async for found in obstore.list(self._store, prefix.rstrip("/")):
                for one in found:
                    yield one["path"]

    async def delete(self, key: str) -> None:
        """Delete it, if it is there."""
        try:
            with _translated("delete"):
                await obstore.delete_async(self._store, key)
        except Rejected as error:
            if error.status != 404:
                raise


@contextmanager
def _translated(operation: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise Rejected("not_found", "there is no such file", 404, provider=PROVIDER, operation=operation) from error
    except (PermissionDeniedError, UnauthenticatedError, PermissionError) as error:
        raise Rejected("forbidden", _first_line(error), 403, provider=PROVIDER, operation=operation) from error
    except (BaseError, OSError) as error:
        raise Transient(_first_line(error), ambiguous=True, provider=PROVIDER, operation=operation) from error


def _first_line(error: Exception) -> str:
    # The rest is the Rust value, for debugging.
    return (str(error).splitlines() or [repr(error)])[0]
