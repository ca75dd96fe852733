"""What the workflows of `.github/workflows` run: each module is one command, and all but AWS itself is tested here."""
