"""Set-up for the runtime's tests."""

from hypothesis import settings

# No deadline: a shared machine makes single examples slow, and a slow example is no failure.
settings.register_profile("relevance", deadline=None)
settings.load_profile("relevance")
