"""What connectors share: what a source is asked, where it may go, and how cells, files and web addresses are read."""
