"""OBS, really there: the connection, what can be done over it, and what it tells."""
