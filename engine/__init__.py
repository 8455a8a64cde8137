"""What a workflow is and does: the model, the pure machine and the shell that runs it."""
