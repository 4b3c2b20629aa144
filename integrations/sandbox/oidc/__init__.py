"""An OpenID provider for one machine: a company's own sign-in, with people who are whoever they say.

    async with OidcSandbox() as sandbox:
        sandbox.people["ada@acme.test"] = {"name": "Ada Lovelace"}

The issuer is `url`: `/.well-known/openid-configuration`, `/authorize` (a page with a button; `?auto=1` answers at once as
`login_hint`), `/token`, `/userinfo`, `/keys`. Any address may sign in, and is called by it; `people` says more of some: their
claims, or None for one that is left out.

The sandbox has handles of its own, without credentials, JSON in and out:

    GET    /_sandbox/people     who was told of; PUT {"address", "claims"} tells
    POST   /_sandbox/rotate     signs with a new key from now on; {"forget": true} no longer shows the old ones
    POST   /_sandbox/faults     the next {"times"} requests for {"operation"} go wrong: {"kind"}; see faults.Kind
    GET    /_sandbox/faults     the faults to come; DELETE takes them back

Operations: description, authorize, keys, token, userinfo; `*` is any. The faults with the names of lies are for `token`: they
make an ID token that must not be believed.
"""

from integrations.sandbox.oidc.faults import Fault
from integrations.sandbox.oidc.server import OidcSandbox
from integrations.sandbox.oidc.settings import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, OidcSettings

__all__ = ["DEMO_CLIENT_ID", "DEMO_CLIENT_SECRET", "Fault", "OidcSandbox", "OidcSettings"]
