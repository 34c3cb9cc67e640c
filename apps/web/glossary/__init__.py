"""The words of credit, in plain words."""
