"""The small pages that readers of mail see. They need no script and nothing from elsewhere."""

from __future__ import annotations

from html import escape

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.25rem;color:#1a1d21;background:#fff}"
    "h1{font-size:1.4rem;line-height:1.25}"
    "button{font:inherit;padding:.6rem 1.1rem;border:1px solid #1a1d21;border-radius:.4rem;"
    "background:#1a1d21;color:#fff;cursor:pointer}"
    "button.quiet{background:none;color:inherit}button:focus-visible{outline:3px solid #4c8dff;outline-offset:2px}"
    "@media(prefers-color-scheme:dark){body{background:#16181b;color:#e8eaed}button{background:#e8eaed;color:#16181b}}"
)


def ask_page(company: str, address: str, path: str) -> str:
    """Asks whether mail shall stop. Looking at it changes nothing: scanners look at everything."""
    return _page(
        f"Unsubscribe from {company}?",
        f"<p>{escape(company)} will send no more mail to <strong>{escape(address)}</strong>.</p>"
        f"{_button(path, 'Unsubscribe', 'confirm')}",
    )


def done_page(company: str, address: str, path: str) -> str:
    """Says that mail has stopped, and lets a mistake be undone."""
    return _page(
        "You are unsubscribed",
        f"<p>{escape(company)} sends no more mail to <strong>{escape(address)}</strong>.</p><p>Was it a mistake?</p>"
        f"{_button(path + '/again', 'Subscribe again', 'again', quiet=True)}",
    )


def again_page(company: str, address: str, path: str) -> str:
    """Says that mail may come again."""
    return _page(
        "You are subscribed again",
        f"<p>{escape(company)} may write to <strong>{escape(address)}</strong> again.</p>"
        f"{_button(path, 'Unsubscribe', 'confirm', quiet=True)}",
    )


def gone_page() -> str:
    """For an address that leads nowhere."""
    return _page(
        "This address does not work",
        "<p>It is incomplete, or the mail it was in is too old. Answer the mail with the word <em>unsubscribe</em> instead.</p>",
    )


def _button(path: str, label: str, name: str, *, quiet: bool = False) -> str:
    look = ' class="quiet"' if quiet else ""
    return (
        f'<form method="post" action="{escape(path)}"><input type="hidden" name="{name}" value="yes">'
        f"<button{look}>{escape(label)}</button></form>"
    )


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta name="robots" content="noindex"><title>{escape(title)}</title><style>{_STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
