"""Credit applications: entered, changed, scored, sent for decision, returned, cancelled."""
