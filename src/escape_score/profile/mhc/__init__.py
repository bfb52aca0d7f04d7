"""The MHC class I model."""
