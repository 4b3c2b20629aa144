"""Everything that can break, broken on purpose, and a checker that knows every commit and every delivery."""
