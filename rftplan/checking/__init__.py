"""Checks that go beyond a project's own files: a request body alone, the service's opinion, Python graders run here.

Each begins only where somebody asked for it; what is found offline is `checks`.
"""
