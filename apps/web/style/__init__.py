"""The page of components, where one develops."""
