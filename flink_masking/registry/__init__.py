"""A client of schema registries: the Confluent API, and Apicurio Registry's own."""
