"""Doors to the outside world: one package a provider, and nothing of the hub or the workers in them."""
