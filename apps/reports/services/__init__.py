"""Reports asked for, made, opened; schedules and the letters that announce them."""
