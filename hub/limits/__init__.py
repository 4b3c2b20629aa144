"""How much anybody may ask for: rates by address, user and tenant, turns at the database, seats for sockets, time to speak."""
