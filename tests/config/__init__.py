"""The configuration room's tests."""
