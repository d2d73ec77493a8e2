"""From inputs to a folder with the graph in every format: read, keep, assemble, write."""
