"""What others would build: the same endpoints and events with other means, measured in the same run."""
