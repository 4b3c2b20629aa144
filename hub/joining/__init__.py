"""How people come in: companies that sign up, people who are invited, and what they accept."""
