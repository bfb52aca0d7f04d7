"""References: read, write, and find genes that a pipeline does not count correctly."""
