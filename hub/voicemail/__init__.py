"""Messages that reps record beforehand and leave on answering machines while they go on to the next call."""
