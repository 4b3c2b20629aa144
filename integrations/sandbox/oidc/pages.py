"""The page on which a person says who they are, made for real browsers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

KEPT: Final = (
    *("client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method"),
    *("max_age", "prompt"),
)
_HEAD: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>Sign in - company sandbox</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 26rem; margin: 4rem auto; padding: 0 1rem }
  input, button { font: inherit; padding: .5rem .75rem; border-radius: .4rem; border: 1px solid gray }
  input { width: 100%; box-sizing: border-box; margin-block: .25rem 1rem }
  button[value=allow] { background: #1a56c4; border-color: #1a56c4; color: white }
  dt { font-weight: 600 } dd { margin: 0 0 .75rem; font: .9rem ui-monospace, monospace; overflow-wrap: anywhere }
</style>
"""


def sign_in_page(asked: dict[str, str], addresses: Sequence[str]) -> str:
    """Return the page for what is asked; `addresses` are offered to choose from."""
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(asked.get(name, ""))}">' for name in KEPT)
    options = "".join(f'<option value="{escape(address)}">' for address in addresses)
    hint = escape(asked.get("login_hint", "") or (addresses[0] if addresses else ""))
    return f"""{_HEAD}
<h1>Your company's sign-in</h1>
<p>A sandbox: there is no password, you are whoever you say.</p>
<form method="post" action="/authorize">
{hidden}
<label for="address">Address</label>
<input id="address" name="address" type="email" required list="addresses" value="{hint}" autofocus>
<datalist id="addresses">{options}</datalist>
<button name="decision" value="allow">Sign in</button>
<button name="decision" value="deny" formnovalidate>Cancel</button>
</form>
</html>
"""


def front_page(issuer: str, client_id: str, client_secret: str) -> str:
    """Return what a company enters under Settings, Single sign-on, to use this provider."""
    rows = {"Issuer": issuer, "Client ID": client_id, "Client secret": client_secret}
    listed = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in rows.items())
    return f"""{_HEAD}
<h1>A company's OpenID provider</h1>
<p>A sandbox. Enter this in Ringside under Settings, Single sign-on:</p>
<dl>{listed}</dl>
</html>
"""


def problem_page(words: str) -> str:
    """Return the page for a request that a provider would not even ask about."""
    return f"{_HEAD}\n<h1>This can't be done</h1>\n<p>{escape(words)}</p>\n</html>\n"
