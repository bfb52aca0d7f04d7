"""From files of single cells to profiles of samples, with what the cells show."""
