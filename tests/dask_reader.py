"""Preloaded by the Dask workers of a test: the reader of names that needs no model."""

from tests import building

building.install()
