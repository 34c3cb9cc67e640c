"""Loading the demonstration, step by step; every step may run again."""
