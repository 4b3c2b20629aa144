"""What somebody who goes leaves to a colleague: contacts, tasks, sequences, mail and numbers, by a job."""
