"""Ringside on a Redis Cluster of six nodes."""
