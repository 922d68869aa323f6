"""The stages of the search, one module each: they load, call, and write."""
