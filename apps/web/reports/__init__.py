"""Reports, for people: asked for, followed, downloaded, scheduled."""
