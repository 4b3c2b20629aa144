"""What companies pay: bought at Stripe, mirrored here, and what follows when they do not pay.

Stripe knows what was bought; `billing_accounts` is a copy of it, written from freshly fetched state only. Webhooks just say that
it is time to fetch. How a company stands (hub.billing.standing) follows from that copy and the time.
"""
