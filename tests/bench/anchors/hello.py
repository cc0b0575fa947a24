"""Anchor: a bare Flask answer under the server and with the threads of `rmo run`. Run as: hello <port>."""

import sys

from flask import Flask
from waitress import serve

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    """Say hello."""
    return "hello"


serve(app, host="127.0.0.1", port=int(sys.argv[1]), threads=8, ident="hello")
