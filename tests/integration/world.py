"""What a cluster and the internet are to tidelock: HTTP servers of the tests' own that answer as the real ones do, or as badly as is wanted."""

import http.server
import json
import ssl
import threading
import urllib.parse


class Request:
    def __init__(self, method, path, headers, body):
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def form(self):
        return dict(urllib.parse.parse_qsl(self.body.decode()))

    @property
    def query(self):
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))

    def __repr__(self):
        return f"{self.method} {self.path} {self.body[:200]!r}"


class Answer:
    """What is said to a request: a body, or one of the ways in which a server is of no use."""

    def __init__(self, status=200, body=b"", headers=None, fault=None):
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode() if not isinstance(body, str) else body.encode()
        self.headers = headers or {}
        self.fault = fault


# Answers that nobody can use, by name. What hangs is let go when the server closes.
BAD_ANSWERS = {
    "unavailable": lambda url: Answer(503, "try later"),
    "broken": lambda url: Answer(500, "no"),
    "busy": lambda url: Answer(429, "slow down", {"Retry-After": "1"}),
    "refused": lambda url: Answer(400, "bad request"),
    "denied": lambda url: Answer(403, "forbidden"),
    "redirected to itself": lambda url: Answer(307, "", {"Location": url}),
    "redirected to http": lambda url: Answer(307, "", {"Location": "http://127.0.0.1:9/"}),
    "redirected to a file": lambda url: Answer(307, "", {"Location": "file:///etc/passwd"}),
    "huge": lambda url: Answer(200, b"x" * (8 << 20)),
    "endless": lambda url: Answer(fault="endless"),
    "malformed": lambda url: Answer(fault="malformed"),
    "cut": lambda url: Answer(fault="cut"),
    "closed": lambda url: Answer(fault="closed"),
    "hanging": lambda url: Answer(fault="hanging"),
    "trickling": lambda url: Answer(fault="trickling"),
}


class World:
    """One server. `answer(request)` decides what is said; `requests` are those that came."""

    def __init__(self, answer=None, certificate=None, host="127.0.0.1"):
        self.answer = answer or (lambda request: Answer(200))
        self.requests = []
        self.closing = threading.Event()
        world = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = Request(self.command, self.path, self.headers, body)
                answer = world.answer(request)
                world.requests.append(request)
                if answer.fault:
                    world._misbehave(self, answer.fault)
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_PUT = do_POST = do_DELETE = handle_any

            def handle(self):
                try:
                    super().handle()
                except OSError:
                    pass  # whoever asked has gone

            def log_message(self, *words):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a handshake that failed: the other side tells why

        self.server = Server((host, 0), Handler)
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f"{certificate}.crt", f"{certificate}.key")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
            self.scheme = "https"
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def misbehave(self, name, path="/"):
        make = BAD_ANSWERS[name]
        self.answer = lambda request: make(self.url + path)

    def _misbehave(self, handler, fault):
        out = handler.wfile
        if fault == "malformed":
            out.write(b"\x00\xff this is no HTTP\r\n\r\n")
        elif fault == "cut":
            out.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
        elif fault == "endless":
            out.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while not self.closing.is_set():
                out.write(b"y" * 65536)
        elif fault == "trickling":
            out.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not self.closing.wait(0.2):
                out.write(b"z")
                out.flush()
        elif fault == "hanging":
            self.closing.wait()
        out.flush()

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


class ApiServer(World):
    """As much of the Kubernetes API as leases and events are: with its status codes (KUBERNETES.md names them, seen on real ones)."""

    LEASES = "/apis/coordination.k8s.io/v1/namespaces/shop/leases"
    EVENTS = "/api/v1/namespaces/shop/events"

    def __init__(self, certificate):
        self.lock = threading.Lock()
        self.leases = {}
        self.events = []
        self.history = []  # the holders of the lease, in their order, and when
        self.version = 100
        self.token = "token-one"
        self.broken = None  # an Answer for everything
        self.denied = set()  # verbs that the role lacks: "create leases"
        super().__init__(self._answer, certificate)

    def mount(self, folder, authority):
        """A service account's folder."""
        folder.mkdir(exist_ok=True)
        (folder / "token").write_text(self.token)
        (folder / "namespace").write_text("shop")
        (folder / "ca.crt").write_bytes((authority.folder / "ca.crt").read_bytes())
        return {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(self.port), "TIDELOCK_SERVICE_ACCOUNT": str(folder), "POD_NAMESPACE": "shop"}

    def _status(self, code, reason, message=""):
        return Answer(code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message or reason, "code": code})

    def _answer(self, request):
        with self.lock:
            if self.broken:
                return self.broken
            if request.headers.get("Authorization") != f"Bearer {self.token}":
                return self._status(401, "Unauthorized")
            if request.path == self.EVENTS and request.method == "POST":
                if "create events" in self.denied:
                    return self._status(403, "Forbidden", "events is forbidden")
                self.events.append(request.json)
                return Answer(201, request.json)
            if request.path == self.LEASES and request.method == "POST":
                if "create leases" in self.denied:
                    return self._status(403, "Forbidden", "leases is forbidden")
                return self._store(request.json["metadata"]["name"], request.json, is_new=True)
            if request.path.startswith(self.LEASES + "/"):
                name = request.path.rsplit("/", 1)[1]
                if "get leases" in self.denied:
                    return self._status(403, "Forbidden", "leases is forbidden")
                if request.method == "GET":
                    return Answer(200, self.leases[name]) if name in self.leases else self._status(404, "NotFound")
                if request.method == "PUT":
                    return self._put(name, request.json)
            return self._status(404, "NotFound", f"no such path {request.path}")

    def _put(self, name, lease):
        known = self.leases.get(name)
        said = lease["metadata"]
        if known is None:
            # Made anew, unless the old one's uid is in it.
            return self._status(409, "Conflict") if "uid" in said else self._store(name, lease, is_new=True)
        if "resourceVersion" not in said:
            return self._status(422, "Invalid", "metadata.resourceVersion: must be specified for an update")
        if said["resourceVersion"] != known["metadata"]["resourceVersion"] or said.get("uid", known["metadata"]["uid"]) != known["metadata"]["uid"]:
            return self._status(409, "Conflict")
        return self._store(name, lease, is_new=False)

    def _store(self, name, lease, is_new):
        spec = lease["spec"]
        if is_new and name in self.leases:
            return self._status(409, "AlreadyExists")
        for key in ("renewTime", "acquireTime"):
            fraction = spec[key].rstrip("Z").split(".")
            if len(fraction) != 2 or len(fraction[1]) != 6:
                return self._status(400, "BadRequest", f"{key} has no six fractional digits")
        if spec["leaseDurationSeconds"] <= 0:
            return self._status(422, "Invalid", "spec.leaseDurationSeconds: must be greater than 0")
        self.version += 1
        lease["metadata"]["resourceVersion"] = str(self.version)
        lease["metadata"].setdefault("uid", f"uid-{self.version}")
        self.leases[name] = lease
        if not self.history or self.history[-1] != spec["holderIdentity"]:
            self.history.append(spec["holderIdentity"])
        return Answer(201 if is_new else 200, lease)

    def holder(self, name):
        with self.lock:
            return self.leases[name]["spec"]["holderIdentity"] if name in self.leases else None

    def take(self, name, holder):
        """As somebody else who does not ask."""
        with self.lock:
            lease = json.loads(json.dumps(self.leases[name]))
            lease["spec"]["holderIdentity"] = holder
            self._store(name, lease, is_new=False)

    def delete(self, name):
        with self.lock:
            del self.leases[name]
