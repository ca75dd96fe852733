"""Least privilege, part by part: actions, statements, escalation, trusts, managed policies, declarations."""
