"""The one web server of the bot, on this machine only: webhooks, the overlay, and what a monitoring system reads."""
