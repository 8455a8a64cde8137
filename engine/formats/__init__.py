"""Other people's forms of a workflow, each read into the one model and written back from it where it can say as much.

A module per form, `read` and `write` in each, plain data on both sides. None of them knows files, texts or stores;
`engine.convert` recognises a form and chooses.
"""
