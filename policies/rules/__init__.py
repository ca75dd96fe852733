"""The rules themselves: plain functions from what a resource says to what is wrong with it."""
