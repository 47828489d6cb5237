"""A module that ends the program when it is imported, as a script may."""

raise SystemExit(0)
