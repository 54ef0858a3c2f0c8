"""Agents of other frameworks as workflows: `crew`, `langgraph`, `autogen`, `sematic`. None of the frameworks is imported before it is needed."""
