"""A pack: `__main__.py` constructs it, the rules are in `policies/rules`."""
