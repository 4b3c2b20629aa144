"""Opens and clicks: what people did with a mail, and what only machines did."""
