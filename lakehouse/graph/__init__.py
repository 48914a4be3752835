"""Declarations matched into a graph, refused at load time where they do not fit."""

from lakehouse.graph.graph import LAYERS, PUBLISHED_LAYERS, Graph, UnknownTable
from lakehouse.graph.load import GraphError, load

__all__ = ["LAYERS", "PUBLISHED_LAYERS", "Graph", "GraphError", "UnknownTable", "load"]
