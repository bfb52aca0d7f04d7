"""Static drawings."""
