"""Commands on records and outputs outside a running job: preview, unmask, rekey, replay, reconcile."""
