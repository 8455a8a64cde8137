"""The terminal front end: a prompt for people, a pipe for programs, one way to handle a line for both."""
