"""The component library: what a platform on Amazon ECS is built from, one component a file.

Import each from its own file, such as ``from components.service import Service, ServiceArgs``: what is not used is
then not loaded, and a program starts a second sooner.
"""
