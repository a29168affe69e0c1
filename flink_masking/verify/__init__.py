"""What a released view guarantees, measured from the view itself: an auditor's program, which shares no code with the anonymizer."""
