"""The one way in for providers' webhooks: verified, stored once, answered; the work comes later."""
