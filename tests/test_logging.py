"""Logs: what a line holds, and that no secret is ever in one, whatever happens."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from typing import Any

import asyncpg
import orjson
import pytest
import structlog

from hub.config import LogStyle
from hub.logging import configure_logging
from tests.conftest import TestDatabase
from tests.harness import PASSWORD, Api, company_with_passwords, make_settings, running_hub

STYLES: tuple[LogStyle, ...] = ("json", "pretty")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave the process's logging as it was found."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def configure(style: LogStyle, level: str = "debug") -> None:
    configure_logging(make_settings("", "", log_style=style, log_level=level), part="test")
    # Loggers of modules would keep this test's way for the tests after it.
    structlog.configure(cache_logger_on_first_use=False)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_of_json_says_when_what_and_who(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    structlog.contextvars.bind_contextvars(request_id="abc", tenant_id="t")
    structlog.get_logger("x").info("it happened", n=7, odd={1, 2}, path="/\udcff")
    logging.getLogger("another.package").warning("it %s", "complains")
    own, foreign = lines(capsys)
    assert (own["event"], own["level"], own["n"], own["part"], own["request_id"]) == ("it happened", "info", 7, "test", "abc")
    assert own["timestamp"].endswith("Z")
    assert (foreign["event"], foreign["level"], foreign["tenant_id"]) == ("it complains", "warning", "t")


def test_what_is_below_the_level_is_not_said(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "warning")
    structlog.get_logger("x").info("quiet")
    logging.getLogger("y").info("quiet")
    structlog.get_logger("x").warning("loud")
    assert [line["event"] for line in lines(capsys)] == ["loud"]


@pytest.mark.parametrize("style", STYLES)
def test_a_secret_by_its_name_is_hidden(style: LogStyle, capsys: pytest.CaptureFixture[str]) -> None:
    configure(style)
    for key in ("password", "token", "access_token", "refresh_token", "Authorization", "cookie", "SECRET", "auth_token"):
        structlog.get_logger("x").warning("careless", **{key: "hush-hush"})
    said = capsys.readouterr().err
    assert said.count("[hidden]") == 8
    assert "hush-hush" not in said


@pytest.mark.parametrize("style", STYLES)
def test_a_traceback_shows_the_lines_and_not_the_values(style: LogStyle, capsys: pytest.CaptureFixture[str]) -> None:
    configure(style)

    def sign_in(password: str) -> None:
        raise RuntimeError("something else broke")

    try:
        sign_in("-".join(["hush", "hush"]))
    except RuntimeError:
        structlog.get_logger("x").exception("request failed")
        logging.getLogger("y").exception("request failed")
    said = capsys.readouterr().err
    assert said.count("RuntimeError: something else broke") == 2
    assert "sign_in" in said
    assert "hush-hush" not in said


async def everything_that_knows_a_secret(api: Api) -> set[str]:
    """Sign in, wrongly and rightly, refresh, switch, sign out; the secrets that went to and fro."""
    secrets = {PASSWORD, "a wrong password"}
    me = {"email": "rep@acme.test"}
    wrong = await api.post("/auth/login", {**me, "password": "a wrong password"})
    odd = await api.post("/auth/login", {**me, "password": "a wrong password" * 100})
    right = await api.post("/auth/login", {**me, "password": PASSWORD})
    api.token = right.body["access_token"]
    (refresh_token,) = [c.value for c in api.session.cookie_jar if c.key == "ringside_refresh"]
    refreshed = await api.post("/auth/refresh")
    switched = await api.post("/auth/switch", {"tenant_id": right.body["tenant"]["id"]})
    nowhere = await api.get("/contacts", cursor="x")
    bad_token = await api.call("GET", "/me", headers={"Authorization": f"Bearer {api.token}x"})
    for answer in (right, refreshed, switched):
        secrets.add(answer.body.pop("access_token"))
        secrets |= {c.split(";")[0].split("=", 1)[1] for c in answer.headers.getall("Set-Cookie", [])}
    out = await api.post("/auth/logout")
    reused = await api.post("/auth/refresh", headers={"Cookie": f"ringside_refresh={refresh_token}"})
    assert len(secrets) == 8, "two passwords, three access tokens, two of the refresh cookie's and the device's"
    answers = [wrong, odd, right, refreshed, switched, nowhere, bad_token, out, reused]
    for answer, secret in itertools.product(answers, secrets):
        headers = {k: v for k, v in answer.headers.items() if k != "Set-Cookie"}
        assert secret not in f"{answer.body} {headers}"
    return secrets


@pytest.mark.parametrize("style", STYLES)
async def test_no_password_and_no_token_is_ever_in_the_log(
    style: LogStyle, database: TestDatabase, valkey_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(style)
    async with running_hub(make_settings(database.app_url, valkey_url)) as server:
        await company_with_passwords(server, "Acme")
        secrets = await everything_that_knows_a_secret(server.client())
        # And when something breaks in the middle of it.
        admin = await asyncpg.connect(database.admin_url)
        await admin.execute("ALTER TABLE sessions RENAME TO gone")
        body = {"email": "rep@acme.test", "password": PASSWORD}
        async with server.client().session.post(f"{server.url}/api/v1/auth/login", json=body) as answer:
            assert (answer.status, (await answer.json())["error"]) == (500, "internal")
        await admin.close()
    said = capsys.readouterr().err
    assert said.count("/api/v1/auth/login") >= 4
    assert "request failed" in said
    for secret in secrets | {server.settings.secret}:
        assert secret not in said
