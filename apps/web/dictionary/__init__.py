"""The variable dictionary, for people: what is asked, why, what models read, and variables of one's own."""
