"""The operations of Stripe's API that the sandbox has, and which of their parameters it acts on."""

import re
from dataclasses import dataclass
from typing import Final

_LIST: Final = "ending_before limit starting_after"


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation such as `subscriptions.create`: its path as in the specification, and the resource that it answers with.

    `honours` are the parameters that the sandbox acts on. It refuses the others that Stripe would take, rather than ignore them.
    """

    name: str
    method: str
    path: str
    kind: str
    honours: frozenset[str]

    @property
    def pattern(self) -> re.Pattern[str]:
        """The path as a pattern; the names of its groups are those of the parameters."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path.replace(".", r"\.")))


def _operation(name: str, method: str, path: str, kind: str, honours: str = "") -> Operation:
    return Operation(name, method, f"/v1/{path}", kind, frozenset(honours.split()) | {"expand"})


def _crud(noun: str, path: str, kind: str, *, create: str = "", update: str = "", listed: str = "") -> list[Operation]:
    key = _KEYS.get(noun, "id")
    found = [
        _operation(f"{noun}.list", "GET", path, kind, f"{_LIST} {listed}"),
        _operation(f"{noun}.retrieve", "GET", f"{path}/{{{key}}}", kind),
    ]
    if create:
        found.append(_operation(f"{noun}.create", "POST", path, kind, create))
    if update:
        found.append(_operation(f"{noun}.update", "POST", f"{path}/{{{key}}}", kind, update))
    return found


# How the specification names the last part of the path.
_KEYS: Final = {
    "prices": "price",
    "customers": "customer",
    "payment_methods": "payment_method",
    "coupons": "coupon",
    "promotion_codes": "promotion_code",
    "subscriptions": "subscription_exposed_id",
    "subscription_items": "item",
    "invoices": "invoice",
    "invoiceitems": "invoiceitem",
    "invoice_payments": "invoice_payment",
    "payment_intents": "intent",
    "charges": "charge",
    "refunds": "refund",
    "checkout.sessions": "session",
    "billing_portal.configurations": "configuration",
    "webhook_endpoints": "webhook_endpoint",
    "test_clocks": "test_clock",
}
_PRODUCT: Final = "active description images marketing_features metadata name unit_label url statement_descriptor"
_CUSTOMER: Final = (
    "address balance description email invoice_prefix invoice_settings metadata name next_invoice_sequence "
    "phone preferred_locales shipping tax_exempt"
)
_SUBSCRIPTION: Final = (
    "cancel_at cancel_at_period_end collection_method days_until_due default_payment_method description discounts items "
    "metadata off_session payment_behavior payment_settings proration_behavior trial_end trial_settings billing_cycle_anchor "
    "automatic_tax invoice_settings"
)
_ITEM: Final = "metadata payment_behavior price proration_behavior proration_date quantity"
_INVOICE: Final = "auto_advance collection_method days_until_due default_payment_method description due_date footer metadata"

# What is acted on inside of parameters that have more to them.
INNER: Final[dict[str, frozenset[str]]] = {
    name: frozenset(honours.split())
    for name, honours in {
        "add_invoice_items": "price quantity",
        "discounts": "coupon discount promotion_code",
        "invoice_items": "amount currency description",
        "items": "deleted id metadata price quantity",
        "line_items": "price quantity",
        "payment_settings": "payment_method_types save_default_payment_method",
        "restrictions": "first_time_transaction",
        "subscription_data": "billing_cycle_anchor billing_mode description metadata proration_behavior trial_end "
        "trial_period_days trial_settings",
        "subscription_details": "billing_cycle_anchor billing_mode cancel_at cancel_at_period_end cancel_now items "
        "proration_behavior proration_date trial_end",
    }.items()
}
OPERATIONS: Final[tuple[Operation, ...]] = (
    *_crud(
        "products",
        "products",
        "product",
        create=f"{_PRODUCT} id default_price_data",
        update=f"{_PRODUCT} default_price",
        listed="active created ids",
    ),
    _operation("products.delete", "DELETE", "products/{id}", "product"),
    _operation("products.search", "GET", "products/search", "product", "query limit page"),
    *_crud(
        "prices",
        "prices",
        "price",
        create="active billing_scheme currency lookup_key metadata nickname product product_data recurring tax_behavior tiers "
        "tiers_mode transfer_lookup_key transform_quantity unit_amount unit_amount_decimal",
        update="active lookup_key metadata nickname tax_behavior transfer_lookup_key",
        listed="active created currency lookup_keys product type recurring",
    ),
    _operation("prices.search", "GET", "prices/search", "price", "query limit page"),
    *_crud(
        "customers",
        "customers",
        "customer",
        create=f"{_CUSTOMER} payment_method tax_id_data test_clock",
        update=f"{_CUSTOMER}",
        listed="created email test_clock",
    ),
    _operation("customers.delete", "DELETE", "customers/{customer}", "customer"),
    _operation("customers.search", "GET", "customers/search", "customer", "query limit page"),
    _operation("customers.payment_methods", "GET", "customers/{customer}/payment_methods", "payment_method", f"{_LIST} type"),
    _operation("customers.payment_method", "GET", "customers/{customer}/payment_methods/{payment_method}", "payment_method"),
    _operation("customers.tax_ids.list", "GET", "customers/{customer}/tax_ids", "tax_id", _LIST),
    _operation("customers.tax_ids.create", "POST", "customers/{customer}/tax_ids", "tax_id", "type value"),
    _operation("customers.tax_ids.retrieve", "GET", "customers/{customer}/tax_ids/{id}", "tax_id"),
    _operation("customers.tax_ids.delete", "DELETE", "customers/{customer}/tax_ids/{id}", "tax_id"),
    _operation("customers.discount.delete", "DELETE", "customers/{customer}/discount", "discount"),
    _operation(
        "customers.balance.list",
        "GET",
        "customers/{customer}/balance_transactions",
        "customer_balance_transaction",
        f"{_LIST} created invoice",
    ),
    _operation(
        "customers.balance.create",
        "POST",
        "customers/{customer}/balance_transactions",
        "customer_balance_transaction",
        "amount currency description metadata",
    ),
    *_crud(
        "payment_methods",
        "payment_methods",
        "payment_method",
        create="billing_details card metadata type",
        update="billing_details card metadata",
        listed="customer type",
    ),
    _operation("payment_methods.attach", "POST", "payment_methods/{payment_method}/attach", "payment_method", "customer"),
    _operation("payment_methods.detach", "POST", "payment_methods/{payment_method}/detach", "payment_method"),
    *_crud(
        "coupons",
        "coupons",
        "coupon",
        create="amount_off currency duration duration_in_months id max_redemptions metadata name percent_off redeem_by",
        update="metadata name",
        listed="created",
    ),
    _operation("coupons.delete", "DELETE", "coupons/{coupon}", "coupon"),
    *_crud(
        "promotion_codes",
        "promotion_codes",
        "promotion_code",
        create="active code customer expires_at max_redemptions metadata promotion restrictions",
        update="active metadata",
        listed="active code coupon created customer",
    ),
    *_crud(
        "subscriptions",
        "subscriptions",
        "subscription",
        create=f"{_SUBSCRIPTION} customer currency trial_period_days billing_mode add_invoice_items",
        update=f"{_SUBSCRIPTION} cancellation_details pause_collection proration_date",
        listed="collection_method created customer price status test_clock",
    ),
    _operation(
        "subscriptions.cancel",
        "DELETE",
        "subscriptions/{subscription_exposed_id}",
        "subscription",
        "cancellation_details invoice_now prorate",
    ),
    _operation(
        "subscriptions.resume",
        "POST",
        "subscriptions/{subscription}/resume",
        "subscription",
        "billing_cycle_anchor proration_behavior proration_date",
    ),
    _operation("subscriptions.search", "GET", "subscriptions/search", "subscription", "query limit page"),
    _operation("subscriptions.delete_discount", "DELETE", "subscriptions/{subscription_exposed_id}/discount", "discount"),
    *_crud(
        "subscription_items",
        "subscription_items",
        "subscription_item",
        create=f"{_ITEM} subscription",
        update=f"{_ITEM} off_session",
        listed="subscription",
    ),
    _operation(
        "subscription_items.delete",
        "DELETE",
        "subscription_items/{item}",
        "subscription_item",
        "proration_behavior proration_date",
    ),
    *_crud(
        "invoices",
        "invoices",
        "invoice",
        create=f"{_INVOICE} customer currency pending_invoice_items_behavior subscription discounts",
        update=_INVOICE,
        listed="collection_method created customer status subscription",
    ),
    _operation("invoices.delete", "DELETE", "invoices/{invoice}", "invoice"),
    _operation("invoices.search", "GET", "invoices/search", "invoice", "query limit page"),
    _operation("invoices.finalize", "POST", "invoices/{invoice}/finalize", "invoice", "auto_advance"),
    _operation("invoices.pay", "POST", "invoices/{invoice}/pay", "invoice", "off_session paid_out_of_band payment_method"),
    _operation("invoices.void", "POST", "invoices/{invoice}/void", "invoice"),
    _operation("invoices.mark_uncollectible", "POST", "invoices/{invoice}/mark_uncollectible", "invoice"),
    _operation("invoices.send", "POST", "invoices/{invoice}/send", "invoice"),
    _operation("invoices.lines", "GET", "invoices/{invoice}/lines", "line_item", _LIST),
    _operation(
        "invoices.create_preview",
        "POST",
        "invoices/create_preview",
        "invoice",
        "customer currency discounts invoice_items subscription subscription_details",
    ),
    *_crud(
        "invoiceitems",
        "invoiceitems",
        "invoiceitem",
        create="amount currency customer description discountable invoice metadata period pricing quantity subscription "
        "unit_amount_decimal",
        update="amount description metadata quantity",
        listed="created customer invoice pending",
    ),
    _operation("invoiceitems.delete", "DELETE", "invoiceitems/{invoiceitem}", "invoiceitem"),
    *_crud("invoice_payments", "invoice_payments", "invoice_payment", listed="invoice payment status created"),
    *_crud("payment_intents", "payment_intents", "payment_intent", listed="created customer"),
    _operation("payment_intents.confirm", "POST", "payment_intents/{intent}/confirm", "payment_intent", "payment_method"),
    _operation("payment_intents.cancel", "POST", "payment_intents/{intent}/cancel", "payment_intent", "cancellation_reason"),
    *_crud("charges", "charges", "charge", listed="created customer payment_intent"),
    *_crud(
        "refunds",
        "refunds",
        "refund",
        create="amount charge metadata payment_intent reason",
        listed="charge created payment_intent",
    ),
    *_crud(
        "checkout.sessions",
        "checkout/sessions",
        "checkout.session",
        create="allow_promotion_codes automatic_tax billing_address_collection cancel_url client_reference_id customer "
        "customer_email customer_update discounts expires_at line_items locale metadata mode payment_method_collection "
        "payment_method_types subscription_data success_url tax_id_collection ui_mode",
        update="metadata",
        listed="created customer customer_details status subscription",
    ),
    _operation("checkout.sessions.expire", "POST", "checkout/sessions/{session}/expire", "checkout.session"),
    _operation("checkout.sessions.line_items", "GET", "checkout/sessions/{session}/line_items", "item", _LIST),
    *_crud(
        "billing_portal.configurations",
        "billing_portal/configurations",
        "billing_portal.configuration",
        create="business_profile default_return_url features metadata name",
        update="active business_profile default_return_url features metadata name",
        listed="active is_default",
    ),
    _operation(
        "billing_portal.sessions.create",
        "POST",
        "billing_portal/sessions",
        "billing_portal.session",
        "configuration customer locale return_url",
    ),
    *_crud(
        "billing.meters",
        "billing/meters",
        "billing.meter",
        create="customer_mapping default_aggregation display_name event_name event_time_window value_settings",
        update="display_name",
        listed="status",
    ),
    _operation("billing.meters.deactivate", "POST", "billing/meters/{id}/deactivate", "billing.meter"),
    _operation("billing.meters.reactivate", "POST", "billing/meters/{id}/reactivate", "billing.meter"),
    _operation(
        "billing.meters.event_summaries",
        "GET",
        "billing/meters/{id}/event_summaries",
        "billing.meter_event_summary",
        f"{_LIST} customer end_time start_time value_grouping_window",
    ),
    _operation(
        "billing.meter_events.create",
        "POST",
        "billing/meter_events",
        "billing.meter_event",
        "event_name identifier payload timestamp",
    ),
    _operation(
        "billing.meter_event_adjustments.create",
        "POST",
        "billing/meter_event_adjustments",
        "billing.meter_event_adjustment",
        "cancel event_name type",
    ),
    *_crud("events", "events", "event", listed="created type types"),
    *_crud(
        "webhook_endpoints",
        "webhook_endpoints",
        "webhook_endpoint",
        create="api_version description enabled_events metadata url",
        update="description disabled enabled_events metadata url",
    ),
    _operation("webhook_endpoints.delete", "DELETE", "webhook_endpoints/{webhook_endpoint}", "webhook_endpoint"),
    *_crud("test_clocks", "test_helpers/test_clocks", "test_helpers.test_clock", create="frozen_time name"),
    _operation(
        "test_clocks.advance",
        "POST",
        "test_helpers/test_clocks/{test_clock}/advance",
        "test_helpers.test_clock",
        "frozen_time",
    ),
    _operation("test_clocks.delete", "DELETE", "test_helpers/test_clocks/{test_clock}", "test_helpers.test_clock"),
)
