"""The verbs of accounts: members, logging in, sessions, passwords, second factor."""
