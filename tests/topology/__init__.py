"""The set of docker-compose.yml, without containers."""
