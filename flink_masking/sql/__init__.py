"""The Flink SQL interface without Flink: functions, their declarations, and scripts."""
