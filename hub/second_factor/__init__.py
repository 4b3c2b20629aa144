"""A company's rule that everybody has a second factor."""
