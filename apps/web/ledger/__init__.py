"""A credit's ledger: schedule, repayments, delays."""
