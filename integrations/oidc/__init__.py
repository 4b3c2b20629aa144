"""OpenID Connect: asks providers that companies bring along, and believes nothing that is not signed for us."""

from integrations.oidc.client import OpenId

__all__ = ["OpenId"]
