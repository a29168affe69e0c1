"""Files and directories that only their owner can read or replace."""
