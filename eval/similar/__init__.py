"""How well the visual embeddings find similar listings."""
