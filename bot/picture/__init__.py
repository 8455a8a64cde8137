"""A workflow as a picture: what it is made of (`graph`), how it is drawn (`svg`), and the image people see (`png`)."""
