"""The service `ai`: asks language models for words, counts what that costs, and lets nothing but clean text come back."""
