"""People, their membership of one institution, and how a request is told apart."""
