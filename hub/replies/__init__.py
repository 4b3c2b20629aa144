"""What an arriving message means for the contact it is from: an answer, an absence, a bounce, a wish, a meeting."""
