"""Agents of other frameworks as workflows, and with checkpoints where they run: `crew`, `langgraph`, `autogen`, `sematic`.

None of the frameworks is imported here: each adapter reads objects of the shape that the framework's public sources give them.
"""

from . import autogen, crew, langgraph, sematic

__all__ = ["autogen", "crew", "langgraph", "sematic"]
