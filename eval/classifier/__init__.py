"""How well photos tell the category, on listings that the classifier has not seen: figures, and a page that shows them.

Every module takes :class:`eval.classifier.measured.Predictions` and returns the part of `classifier.json` that it is
named after; plots and page show what stands there.
"""
