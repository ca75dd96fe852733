"""What every service shares: HTTP, the environment, the log, and what is said to callers."""
