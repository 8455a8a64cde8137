"""Twitch: what comes in as messages and events, what goes out as requests."""
