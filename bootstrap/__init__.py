"""The organisation's one stack beside the workloads' own: where images are, and who may deploy what from GitHub."""
