"""CrossGuard packs: what a stack must satisfy before it is deployed. Knows nothing of the program it judges."""
