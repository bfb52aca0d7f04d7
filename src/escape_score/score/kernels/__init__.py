"""What the methods share: values and sets, ranks, and the compiled functions over them."""
