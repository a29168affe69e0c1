"""Documents that people write in YAML: values with their places, faults, and findings of checks."""
