"""Templates and snippets: mail that is written once and sent to many."""
