"""Records that are one text: lines of logs."""
