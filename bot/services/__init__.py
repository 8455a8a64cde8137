"""What actions can be asked of: one module per service with its declarations, and who performs them."""
