"""The human decision on an application: recommendation seen, decision taken, motive, override."""
