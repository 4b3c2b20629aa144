"""The contact import: a CSV from any CRM becomes contacts, and can be taken back."""
