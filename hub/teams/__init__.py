"""Teams: who shares numbers and rings together."""
