"""The overlay: a page that OBS shows as a browser source, and what workflows let it show."""
