"""The company's telephone numbers: bought, assigned, shown as caller id, and who answers them."""
