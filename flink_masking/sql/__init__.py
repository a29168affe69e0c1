"""What Flink SQL sees of the library, without Flink: which functions there are, how they are declared, and whole scripts."""
