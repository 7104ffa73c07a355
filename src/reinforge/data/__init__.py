"""Real data in, records out."""
