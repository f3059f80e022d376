"""Opens pages in Chromium and prints, as JSON, what it made of each: at a phone's and a desktop's width, in light and dark.

    python3 measure.py PAGE ...

The pages come from a server on loopback that is the browser's proxy too, so that whatever a page asks for is seen, wherever it
would go. A page may run no script; it is measured from outside, in a frame of the width that is wanted. Where no Chromium is
installed, this says so on standard error and ends with 3.
"""

import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
WIDTHS = [375, 1280]
# The numbers of Blink's PreferredColorScheme.
SCHEMES = {"light": 1, "dark": 0}
NO_BROWSER = 3

FRAME = """<!doctype html><meta charset="utf-8"><body><iframe id="page" src="/page" style="border:0;width:%dpx;height:900px"></iframe>
<script>
const frame = document.getElementById("page");
frame.onload = () => {
  const page = frame.contentDocument, root = page.scrollingElement, view = frame.contentWindow;
  const wide = [...page.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > view.innerWidth + 0.5 && !e.closest("thead"));
  const report = document.createElement("pre");
  report.id = "report";
  report.textContent = JSON.stringify({
    scrollWidth: root.scrollWidth,
    innerWidth: view.innerWidth,
    overflowing: wide.map(e => e.tagName + "." + e.getAttribute("class") + ": " + e.textContent.slice(0, 60)),
    headings: [...page.querySelectorAll("h1, h2")].map(e => e.tagName + " " + e.textContent),
    scripts: page.querySelectorAll("script, [onload], [onerror], [onclick]").length,
    background: view.getComputedStyle(page.body).backgroundColor,
    color: view.getComputedStyle(page.body).color,
    text: page.body.innerText.slice(0, 200),
  });
  document.body.replaceChildren(report);
};
</script>"""


class Server(ThreadingHTTPServer):
    """Serves one page in a frame, and remembers whatever else is asked for."""

    def __init__(self, page: bytes, width: int):
        super().__init__(("127.0.0.1", 0), Handler)
        self.frame = (FRAME % width).encode()
        self.page = page
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        path = re.sub(r"^http://127\.0\.0\.1:\d+", "", self.path)
        known = {"/frame": self.server.frame, "/page": self.server.page}
        # A browser asks for the icon of what it shows; here that is the frame.
        if path not in known and path != "/favicon.ico":
            self.server.asked.append(f"{self.command} {self.path}")
        body = known.get(path)
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    do_CONNECT = do_POST = do_HEAD = do_GET

    def log_message(self, *_):
        pass


def measured(browser: str, page: bytes, width: int, scheme: str) -> dict:
    server = Server(page, width)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = f"127.0.0.1:{server.server_port}"
    with tempfile.TemporaryDirectory() as profile:
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
            f"--user-data-dir={profile}", f"--proxy-server={here}", f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
            "--window-size=1400,1000", "--virtual-time-budget=5000", "--dump-dom", f"http://{here}/frame",
        ]  # fmt: skip
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, "HOME": profile})
    server.shutdown()
    found = re.search(r'<pre id="report">(.*?)</pre>', ran.stdout, re.DOTALL)
    if not found:
        raise SystemExit(f"{browser} showed no report: {ran.stderr[-2000:]}")
    # What the browser itself asks its maker is none of the page's doing.
    asked = [one for one in server.asked if not re.search(r"(google(apis)?|gstatic|gvt1)\.com", one)]
    return {"width": width, "scheme": scheme, "asked": asked, **json.loads(html.unescape(found[1]))}


def main(pages: list[str]) -> int:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not browser:
        print(f"no browser is installed: none of {', '.join(BROWSERS)} is in PATH", file=sys.stderr)
        return NO_BROWSER
    all_ = [
        {"page": page, **measured(browser, Path(page).read_bytes(), width, scheme)}
        for page in pages
        for width in WIDTHS
        for scheme in SCHEMES
    ]
    json.dump(all_, sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
