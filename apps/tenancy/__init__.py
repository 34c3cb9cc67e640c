"""The kernel of isolation: scopes, actors, roles, and what every tenant table carries."""
