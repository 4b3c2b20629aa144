"""The job side, against real Postgres and Valkey."""
