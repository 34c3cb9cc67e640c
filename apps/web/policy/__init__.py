"""The scoring policy, for people: in force, proposed, tried on past files."""
