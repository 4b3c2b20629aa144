"""What tax ids look like, for the kinds that Stripe checks most: https://docs.stripe.com/billing/customer/tax-ids"""

import re
from typing import Final

from integrations.sandbox.stripe.refusals import invalid

_SHAPES: Final = {
    "au_abn": r"\d{11}",
    "br_cnpj": r"\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2}",
    "ca_bn": r"\d{9}",
    "ch_vat": r"CHE-?\d{3}\.?\d{3}\.?\d{3}( ?(MWST|TVA|IVA))?",
    "de_stn": r"[\d/ ]{10,13}",
    "eu_vat": r"(ATU\d{8}|BE[01]\d{9}|BG\d{9,10}|CY\d{8}[A-Z]|CZ\d{8,10}|DE\d{9}|DK\d{8}|EE\d{9}|EL\d{9}|ES[A-Z0-9]\d{7}[A-Z0-9]"
    r"|FI\d{8}|FR[A-Z0-9]{2}\d{9}|HR\d{11}|HU\d{8}|IE\d[A-Z0-9]\d{5}[A-Z]{1,2}|IT\d{11}|LT(\d{9}|\d{12})|LU\d{8}|LV\d{11}|MT\d{8}"
    r"|NL\d{9}B\d{2}|PL\d{10}|PT\d{9}|RO\d{2,10}|SE\d{12}|SI\d{8}|SK\d{10}|XI\d{9})",
    "gb_vat": r"GB(\d{9}|\d{12})",
    "in_gst": r"\d{2}[A-Z]{5}\d{4}[A-Z][A-Z0-9]Z[A-Z0-9]",
    "jp_cn": r"\d{13}",
    "mx_rfc": r"[A-Z&Ñ]{3,4}\d{6}[A-Z0-9]{3}",
    "no_vat": r"\d{9}MVA",
    "nz_gst": r"\d{8,9}",
    "us_ein": r"\d{2}-?\d{7}",
}


def refuse_malformed(kind: str, value: str, param: str) -> None:
    """Raise Refusal where a value can't be a tax id of its kind; kinds that are not known here may be anything."""
    shape = _SHAPES.get(kind, r".+")
    if not re.fullmatch(shape, value.strip()):
        raise invalid(f"Invalid value for {kind}.", param, "tax_id_invalid")
