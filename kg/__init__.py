"""A knowledge graph of machine learning, with the sentence behind every edge."""

__version__ = "0.1.0"
