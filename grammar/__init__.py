"""Plain English to and from edits: words, structure, meaning, and the same meaning in canonical words."""
