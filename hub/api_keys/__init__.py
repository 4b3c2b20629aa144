"""API keys: how programs act in a person's place, as far as the key's scopes and that person's role go."""
