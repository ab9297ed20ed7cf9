"""What a masked role may see: the parts that are withheld, and proof that nothing tells the arm."""
