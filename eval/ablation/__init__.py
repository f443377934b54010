"""What each ingredient of the towers brings: trained anew without it, for several seeds, and measured."""
