"""Where everything durable lives: one SQLite file per bot, behind `engine.ports.Store`."""
