"""Numbers, dates and instants in columns of text."""
