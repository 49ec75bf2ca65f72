"""The Python half of the order sample."""
