"""A scorecard as a page that a data-protection officer can read and print."""
