"""The page on which a person lets a program into their mailbox, made for real browsers."""

from collections.abc import Sequence
from html import escape
from typing import Final

_KEPT: Final = (
    *("client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method"),
    *("access_type", "prompt"),
)
_HEAD: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>Sign in - Google sandbox</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 28rem; margin: 4rem auto; padding: 0 1rem }
  input, button { font: inherit; padding: .5rem .75rem; border-radius: .4rem; border: 1px solid gray }
  input { width: 100%; box-sizing: border-box; margin-block: .25rem 1rem }
  button[value=allow] { background: #1a56c4; border-color: #1a56c4; color: white }
  li { font: .85rem ui-monospace, monospace; overflow-wrap: anywhere }
</style>
"""


def consent_page(asked: dict[str, str], addresses: Sequence[str]) -> str:
    """Return the page for what is asked; `addresses` are offered to choose from, any other opens a new mailbox."""
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(asked.get(name, ""))}">' for name in _KEPT)
    options = "".join(f'<option value="{escape(address)}">' for address in addresses)
    scopes = "".join(f"<li>{escape(scope)}</li>" for scope in asked.get("scope", "").split())
    hint = escape(asked.get("login_hint", "") or (addresses[0] if addresses else "demo@example.com"))
    return f"""{_HEAD}
<h1>Sign in to the Google sandbox</h1>
<p>No real mailbox is behind this page. The program asks for:</p>
<ul>{scopes}</ul>
<form method="post" action="/o/oauth2/v2/auth">
{hidden}
<label for="address">Mailbox</label>
<input id="address" name="address" type="email" required list="addresses" value="{hint}" autofocus>
<datalist id="addresses">{options}</datalist>
<button name="decision" value="allow">Allow</button>
<button name="decision" value="deny" formnovalidate>Cancel</button>
</form>
</html>
"""


def problem_page(words: str) -> str:
    """Return the page for a request that Google would not even ask about."""
    return f"{_HEAD}\n<h1>Access blocked</h1>\n<p>{escape(words)}</p>\n</html>\n"
