"""The outside world: front ends, services, conversation, and the one switchboard."""
