"""What people say of the site, and what the site says to them: opinions and alerts."""
