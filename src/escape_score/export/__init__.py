"""Results in the formats of other programs: one file a format, each a pure function from tables to texts.

A format gives names of files and their contents; who calls it writes them.
"""
