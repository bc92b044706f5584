"""Style sheets over HTTP, for wkhtmltopdf: a benchmark runs without Odoo's web server.

They are read from memory, so that none of the ways is slowed down by a busy server.
"""

import mimetypes
import re
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from odoo.tools import file_open

_LINK = re.compile(r'href="(/web/assets/[^"?]+)')


class _Server(ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = {}

    def find(self, path):
        """Return a file: a style sheet that was put here, else a static one of Odoo."""
        if path not in self.files:
            try:
                with file_open(path.lstrip("/"), "rb") as file:
                    self.files[path] = file.read()
            except (OSError, ValueError):
                self.files[path] = None
        return self.files[path]


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.split("?")[0]
        content = self.server.find(path)
        if content is None:
            self.send_error(404)
            return
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args):
        pass


@contextmanager
def served(env, report_ref, record_id):
    """Serve the style sheets of a report for as long as the block runs, and have Odoo
    take them there.

    :param env: an environment that will be rolled back
    :param record_id: of some record the report can print
    """
    server = _Server()
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        env["ir.config_parameter"].sudo().set_param(
            "report.url", f"http://127.0.0.1:{server.server_port}"
        )
        for link in _get_links(env, report_ref, record_id):
            server.files[link] = _make(env, link)
        yield
    finally:
        server.shutdown()
        server.server_close()
        env.registry.clear_all_caches()


def _get_links(env, report_ref, record_id):
    reports = env["ir.actions.report"].with_context(debug=False)
    data = {"report_type": "pdf", "debug": False}
    html, _kind = reports._render_qweb_html(report_ref, [record_id], data=data)
    report = reports._get_report(report_ref).with_context(debug=False)
    bodies = report._prepare_html(html, report_model=report.model)[0]
    return set(_LINK.findall(bodies[0]))


def _make(env, link):
    """Return a style sheet as Odoo's web server would."""
    name, rtl, _kind, autoprefix = env["ir.asset"]._parse_bundle_name(
        link.rsplit("/", 1)[1], False
    )
    bundle = env["ir.qweb"]._get_asset_bundle(
        name, css=True, js=False, rtl=rtl, autoprefix=autoprefix
    )
    return bundle.css().raw
