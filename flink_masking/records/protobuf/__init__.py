"""Protobuf records: the wire format scanned into spans by a program that is compiled from descriptors."""
