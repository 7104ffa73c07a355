"""One folder a system; none imports another."""
