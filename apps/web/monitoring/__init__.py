"""How the models in production do: figures of the last night, alerts, what to do."""
