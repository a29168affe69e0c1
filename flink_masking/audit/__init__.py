"""What was done, told without values."""
