"""Who may do what in Kafka: least privilege, derived from a policy, a deployment and the names of the people's accounts."""
