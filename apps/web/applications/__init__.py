"""Applications: the lists, the file of one, and what is done with it before a decision."""
