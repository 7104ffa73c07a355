"""The recognisers that users train on their pictures, and frozen ones that they bring."""
