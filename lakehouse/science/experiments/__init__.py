"""Designing, watching and judging experiments on customers and on markets."""
