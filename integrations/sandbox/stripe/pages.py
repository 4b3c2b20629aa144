"""The pages that people see: checkout, the portal, an invoice, the bank's question."""

import re
import zlib
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

from integrations.sandbox.stripe.amounts import money
from integrations.sandbox.stripe.cards import TEST_CARDS
from integrations.sandbox.stripe.items import items_of, price_of
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import Work

_FRAME: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
  :root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
  body {{ max-width: 40rem; margin: 2rem auto; padding: 0 1rem }}
  th {{ text-align: left; font-weight: 400; padding: 0.2rem 1.5rem 0.2rem 0; vertical-align: top }}
  td {{ text-align: right }}
  label {{ display: block; margin: 0.8rem 0 }}
  input, select {{ font: inherit; display: block; width: 100%; box-sizing: border-box; padding: 0.3rem }}
  button {{ font: inherit; padding: 0.4rem 1rem; margin: 0.4rem 0.4rem 0.4rem 0 }}
  .error {{ color: #c00 }}
</style>
<h1>{title}</h1>
{body}
<p><small>Stripe sandbox: no money moves here.</small></p>
</html>
"""
_HABITS: Final = {
    "pays": "pays",
    "declined": "declined",
    "later": "accepted, declined later",
    "authenticated": "asks for authentication",
}


def framed(title: str, body: str) -> str:
    """Return a page."""
    return _FRAME.format(title=escape(title), body=body)


def _cards() -> str:
    options = "".join(
        f'<option value="{card.number}">{card.number} {escape(_HABITS[card.habit])}'
        f"{'' if card.habit != 'declined' else ' (' + escape(card.reason) + ')'}</option>"
        for card in TEST_CARDS
    )
    return f'<label>Card <select name="card">{options}</select></label>'


def _complaint(error: str) -> str:
    return f'<p class="error" role="alert">{escape(error)}</p>' if error else ""


def checkout_page(work: Work, session: Thing, error: str = "", *, asks: str = "") -> str:
    """Return the page to pay on. `asks` is the card that the bank wants to know more about."""
    if session["status"] != "open":
        return framed("Checkout", f"<p>This checkout is {escape(session['status'])}.</p>")
    currency = session["currency"]
    rows = "".join(
        f"<tr><th>{line['quantity'] or ''} {escape(line['description'])}</th>"
        f"<td>{money(line['amount_total'], currency)}</td></tr>"
        for line in session["_lines"]
    )
    days = session["_asked"]["data"].get("trial_period_days")
    trial = f"<p>{days} days free, then:</p>" if days else ""
    if asks:
        return framed(
            "Your bank asks",
            f'<form method="post"><input type="hidden" name="card" value="{escape(asks)}">'
            '<input type="hidden" name="email" value="customer@example.com"><p>Was it you?</p>'
            '<button name="authenticated" value="1">Yes, pay</button></form>',
        )
    email = (
        ""
        if session["customer"]
        else f'<label>Email <input name="email" value="{escape(session["customer_email"] or "")}"></label>'
    )
    code = '<label>Promotion code <input name="promotion_code"></label>' if session["allow_promotion_codes"] else ""
    tax = ""
    if session["tax_id_collection"]["enabled"]:
        tax = '<label>Tax ID <input name="tax_id"></label><input type="hidden" name="tax_id_type" value="eu_vat">'
    back = f'<a href="{escape(session["cancel_url"])}">Back</a>' if session["cancel_url"] else ""
    return framed(
        "Checkout",
        f'{_complaint(error)}{trial}<table>{rows}</table><form method="post">{email}{_cards()}{code}{tax}'
        f"<button>{'Start trial' if days else 'Subscribe'}</button></form>{back}",
    )


def portal_page(work: Work, session: Thing, error: str = "") -> str:
    """Return what a customer can do for themselves."""
    configuration = work.store.find(session["configuration"])
    assert configuration is not None
    features = configuration["features"]
    parts = [_complaint(error)]
    for each in work.store.owned("subscription", session["customer"]):
        parts.append(_subscription(work, each, features))
    if features["payment_method_update"]["enabled"]:
        parts.append(f'<h2>Card</h2><form method="post" action="?action=card">{_cards()}<button>Use this card</button></form>')
    if features["invoice_history"]["enabled"]:
        rows = "".join(
            f'<tr><th><a href="{escape(each["hosted_invoice_url"])}">{escape(each["number"])}</a></th>'
            f"<td>{_day(each['created'])}</td><td>{money(each['total'], each['currency'])}</td>"
            f"<td>{escape(each['status'])}</td></tr>"
            for each in work.store.owned("invoice", session["customer"])
            if each["number"]
        )
        parts.append(f"<h2>Invoices</h2><table>{rows}</table>")
    if session["return_url"]:
        parts.append(f'<p><a href="{escape(session["return_url"])}">Return</a></p>')
    return framed("Billing", "".join(parts))


def _subscription(work: Work, each: Thing, features: dict[str, Any]) -> str:
    items = items_of(work, each)
    names = ", ".join(
        f"{item.get('quantity', '')} {(work.store.find(price_of(work, item)['product']) or {}).get('name', '')}" for item in items
    )
    ends = f", ends {_day(each['cancel_at'])}" if each["cancel_at"] else ""
    hidden = f'<input type="hidden" name="subscription" value="{each["id"]}">'
    forms = ""
    if features["subscription_cancel"]["enabled"] and each["status"] not in ("canceled", "incomplete_expired"):
        action, words = ("keep", "Don't cancel") if each["cancel_at"] else ("cancel", "Cancel")
        forms += f'<form method="post" action="?action={action}">{hidden}<button>{words}</button></form>'
    if features["subscription_update"]["enabled"]:
        forms += (
            f'<form method="post" action="?action=quantity">{hidden}<label>Seats '
            '<input name="quantity" inputmode="numeric"></label><button>Change</button></form>'
        )
    return f"<h2>{escape(names)}</h2><p>{escape(each['status'])}{ends}</p>{forms}"


def invoice_page(work: Work, invoice: Thing, error: str = "") -> str:
    """Return an invoice, with a form to pay it where it is open."""
    rows = "".join(
        f"<tr><th>{escape(line['description'] or '')}</th><td>{money(line['amount'], invoice['currency'])}</td></tr>"
        for line in invoice["_lines"]
    )
    paying = ""
    if invoice["status"] == "open":
        paying = (
            f'<form method="post">{_cards()}<button>Pay</button>'
            '<button name="authenticated" value="1">Pay, and authenticate</button></form>'
        )
    return framed(
        f"Invoice {invoice['number']}",
        f"{_complaint(error)}<p>{escape(invoice['customer_email'] or '')}, {_day(invoice['created'])}: "
        f"{escape(invoice['status'])}</p>"
        f"<table>{rows}<tr><th>Total</th><td>{money(invoice['total'], invoice['currency'])}</td></tr>"
        f"<tr><th>Due</th><td>{money(invoice['amount_remaining'], invoice['currency'])}</td></tr></table>{paying}"
        f'<p><a href="{escape(invoice["invoice_pdf"])}">PDF</a></p>',
    )


def _day(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def invoice_pdf(invoice: Thing) -> bytes:
    """Return an invoice as a small PDF of one page."""
    lines = [f"Invoice {invoice['number']}", f"{invoice['account_name']}  {_day(invoice['created'])}  {invoice['status']}", ""]
    lines += [f"{money(each['amount'], invoice['currency']):>14}  {each['description'] or ''}" for each in invoice["_lines"]]
    lines += ["", f"{money(invoice['total'], invoice['currency']):>14}  Total"]
    words = "\n".join(f"({_pdf_text(line)}) Tj T*" for line in lines)
    stream = zlib.compress(f"BT /F1 10 Tf 14 TL 50 780 Td\n{words}\nET".encode("cp1252", "replace"))
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
    ]
    body, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        table,
        len(body),
    )


def _pdf_text(text: str) -> str:
    return re.sub(r"([\\()])", r"\\\1", text.replace("×", "x"))
