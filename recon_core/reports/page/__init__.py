"""The HTML page: its content, its charts, its template and its style."""
