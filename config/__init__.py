"""The project's configuration: settings, URLs, the database server and the commands that start everything."""
