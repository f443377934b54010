"""Photos to categories: a classifier over listing photos whose embedding also serves search by look."""
