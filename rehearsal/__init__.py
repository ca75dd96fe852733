"""The embedded run: the program, unmodified, on an AWS emulator of this machine, its workloads run and asked."""
