"""Mails: built as bytes, sent through a server or into a folder, each one once."""
