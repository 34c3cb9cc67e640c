"""Models of an institution, for people: versions, production, scorecards written here."""
