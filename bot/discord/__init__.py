"""Discord: what is written and used there becomes messages and events, what is answered and done goes back."""
