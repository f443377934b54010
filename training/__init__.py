"""Offline training: photos to a classifier, behaviour to towers. Run from the checkout: `python -m training`."""
