"""What managers see and are warned of."""
