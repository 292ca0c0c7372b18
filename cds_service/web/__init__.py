"""The HTTP shell around the engine: a Flask application, its settings, its log and its server."""
