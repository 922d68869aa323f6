"""The stages of the search, each from what the one before left in the output folder."""
