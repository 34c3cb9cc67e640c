"""Credits: disbursed, their instalments, their repayments."""
