"""Resources shipped with the package: axes, gene sets and files."""
