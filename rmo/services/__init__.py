"""One function per use case: what pages, jobs and commands call."""
