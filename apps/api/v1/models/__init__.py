"""Models of the institution: versions, promotion, export and import."""
