"""Local servers that speak the providers' wire protocols, so that the real SDKs run against them unmodified."""
