"""Privacy: a person's or the company's data as files, erasure that reaches everything, and how long what is kept."""
