"""Two companies of the system's own that keep trying to reach each other through every layer; see docs/adr/0017."""
