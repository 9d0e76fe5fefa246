"""Serves the files of a page. The hub's own web port has the console only: a page of yours comes from wherever
you serve it, and the hub is told to allow that origin (--web-allow-origin)."""

import functools
import http.server
import json
import threading
import urllib.parse


class PageServer:
    """Takes its port at once, so that the origin is known; serves from serve() on, until the program ends."""

    def __init__(self, host, port, folders):
        """`folders` maps the beginning of a path to the folder behind it; the first that fits is taken."""
        try:
            self._server = http.server.ThreadingHTTPServer((host, port), functools.partial(_Handler, self))
        except OSError as error:
            raise SystemExit(f"cannot serve the page at {host}:{port}: {error.strerror}; see --port")
        self.folders = folders
        self.origin = f"http://{host}:{self._server.server_port}"

    def serve(self, hub):
        """`hub` is the address of the hub's web port, which the page asks for as /hub.js."""
        self.hub = hub
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


class _Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css",
                      ".svg": "image/svg+xml", "": "application/octet-stream"}

    def __init__(self, page, *arguments):
        self._page = page
        super().__init__(*arguments)

    def do_GET(self):
        if self.path == "/hub.js":
            return self._send_hub()
        super().do_GET()

    def _send_hub(self):
        body = f"export const hubUrl = {json.dumps(self._page.hub)};\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def translate_path(self, path):
        path = urllib.parse.unquote(urllib.parse.urlsplit(path).path)
        prefix, folder = next(item for item in self._page.folders.items() if path.startswith(item[0]))
        file = (folder / path.removeprefix(prefix)).resolve()
        if folder.resolve() not in [file, *file.parents]:
            return str(folder / "no such file")
        return str(file)

    def list_directory(self, path):
        self.send_error(404)

    def end_headers(self):
        """The browser is to run these files alone, and to speak to the hub and nobody else."""
        hub = self._page.hub
        self.send_header("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; "
                         f"connect-src 'self' {hub} {hub.replace('http', 'ws', 1)}")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, *_):
        """Silent: the terminal is for what the example has to say."""
