"""The local stack: environment, programs, readiness."""
