"""The one way from data to profiles, used by the command line, Python, validation and tests alike."""
