"""The services that give passwords, which answer as their documentation says, and AWS's signatures computed a second time."""

import datetime
import hashlib
import hmac
import json
import os
import socket
import threading
import urllib.parse

from servers import Server, distribution_major
from world import Answer, World

REGION = "eu-central-1"
HOST = "127.0.0.1"


def _signature(secret, date, service, canonical):
    """AWS documentation, "Create a signed AWS API request"."""
    key = f"AWS4{secret}".encode()
    for part in (date[:8], REGION, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{date}\n{date[:8]}/{REGION}/{service}/aws4_request\n{hashed}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _check_date(date):
    at = datetime.datetime.strptime(date + "+0000", "%Y%m%dT%H%M%SZ%z")
    assert abs((datetime.datetime.now(datetime.timezone.utc) - at).total_seconds()) < 60, date


def check_rds_token(token, user, address, keys):
    """That it is what AWS's own tools would have made at the moment that it names."""
    (date,) = urllib.parse.parse_qs(token.split("?", 1)[1])["X-Amz-Date"]
    _check_date(date)
    asked = {
        "Action": "connect",
        "DBUser": user,
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{keys.id}/{date[:8]}/{REGION}/rds-db/aws4_request",
        "X-Amz-Date": date,
        "X-Amz-Expires": "900",
        **({"X-Amz-Security-Token": keys.session} if keys.session else {}),
        "X-Amz-SignedHeaders": "host",
    }
    query = "&".join(f"{name}={urllib.parse.quote(value, safe='-_.~')}" for name, value in sorted(asked.items()))
    canonical = f"GET\n/\n{query}\nhost:{address}\n\nhost\n{hashlib.sha256(b'').hexdigest()}"
    assert token == f"{address}/?{query}&X-Amz-Signature={_signature(keys.secret, date, 'rds-db', canonical)}"


def check_signed_request(request, service, keys):
    """That AWS would believe the request to be of whoever has the keys."""
    kind, rest = request.headers["Authorization"].split(" ", 1)
    said = dict(part.strip().split("=", 1) for part in rest.split(","))
    date = request.headers["X-Amz-Date"]
    _check_date(date)
    signed = said["SignedHeaders"].split(";")
    assert kind == "AWS4-HMAC-SHA256" and said["Credential"] == f"{keys.id}/{date[:8]}/{REGION}/{service}/aws4_request"
    assert signed == sorted(signed) and {"host", "x-amz-date"} <= set(signed) <= {name.lower() for name in request.headers}
    # All that begins with x-amz- has to be signed.
    assert {name.lower() for name in request.headers if name.lower().startswith("x-amz-")} - {"x-amz-content-sha256"} <= set(signed)
    headers = "".join(f"{name}:{request.headers[name].strip()}\n" for name in signed)
    canonical = f"{request.method}\n/\n\n{headers}\n{';'.join(signed)}\n{hashlib.sha256(request.body).hexdigest()}"
    assert said["Signature"] == _signature(keys.secret, date, service, canonical)


class Keys:
    """Of an AWS account; what is in them that base64 may hold has to be escaped somewhere."""

    def __init__(self, session):
        self.id = f"ASIA{os.urandom(4).hex().upper()}"
        self.secret = f"secret/{os.urandom(8).hex()}+x"
        self.session = f"session/{os.urandom(8).hex()}+x==" if session else None


class Cloud:
    """A service. `give()` is the password that it gives now; a test may replace it, or the whole answer."""

    source = None
    is_tls = True
    has_user = False

    def __init__(self, authority, home):
        self.authority = authority
        self.home = home
        self.environment = {"SSL_CERT_FILE": str(authority.folder / "ca.crt")}
        self.arguments = ["--password-from", self.source]
        self.secrets = []
        self.expires_in = 3600
        self.password = self.secret("password")
        self.give = lambda: self.password
        # Where there are two, the one of the machine itself.
        self.metadata = self.world = World(lambda request: self.answer(request), authority.folder / "server" if self.is_tls else None)

    def secret(self, what):
        """A text that nobody may see."""
        self.secrets.append(f"{what}-{os.urandom(16).hex()}")
        return self.secrets[-1]

    def write(self, name, text):
        (self.home / name).write_text(text)
        return str(self.home / name)

    @property
    def requests(self):
        return self.world.requests

    def hides_from(self, *texts):
        """Nothing secret is there, not even a half of it, in whatever spelling."""
        for text in texts:
            for secret in self.secrets:
                assert secret[: len(secret) // 2] not in text, f"{secret} shows: {text}"
                assert urllib.parse.quote(secret, safe="")[: len(secret) // 2] not in text, f"{secret} shows: {text}"

    def close(self):
        self.world.close()


class Google(Cloud):
    source, is_tls, whom = "google", False, "Google's metadata server"

    def __init__(self, authority, home):
        super().__init__(authority, home)
        self.environment["GCE_METADATA_HOST"] = f"{HOST}:{self.world.port}"

    def answer(self, request):
        return Answer(200, {"access_token": self.give(), "expires_in": self.expires_in, "token_type": "Bearer"}, {"Metadata-Flavor": "Google"})

    def check(self):
        (request,) = self.requests
        assert (request.method, request.path) == ("GET", "/computeMetadata/v1/instance/service-accounts/default/token")
        assert request.headers["Metadata-Flavor"] == "Google" and request.body == b""


class AzureMachine(Cloud):
    source, is_tls, whom = "azure", False, "Azure's metadata service"

    def __init__(self, authority, home):
        super().__init__(authority, home)
        self.environment |= {"AZURE_POD_IDENTITY_AUTHORITY_HOST": self.world.url, "AZURE_CLIENT_ID": "client 1"}

    def answer(self, request):
        return Answer(200, {"access_token": self.give(), "client_id": "client 1", "expires_in": str(self.expires_in), "expires_on": "1900000000", "token_type": "Bearer"})

    def check(self):
        (request,) = self.requests
        assert request.method == "GET" and request.path.split("?")[0] == "/metadata/identity/oauth2/token" and request.headers["Metadata"] == "true"
        assert request.query == {"api-version": "2018-02-01", "resource": "https://ossrdbms-aad.database.windows.net", "client_id": "client 1"}


class AzureFederated(Cloud):
    source, whom = "azure", "Microsoft Entra"

    def __init__(self, authority, home):
        super().__init__(authority, home)
        self.jwt = self.secret("jwt")
        file = self.write("azure-token", self.jwt)
        self.environment |= {"AZURE_FEDERATED_TOKEN_FILE": file, "AZURE_TENANT_ID": "tenant-1", "AZURE_CLIENT_ID": "client-1", "AZURE_AUTHORITY_HOST": self.world.url}

    def answer(self, request):
        return Answer(200, {"token_type": "Bearer", "expires_in": self.expires_in, "ext_expires_in": self.expires_in, "access_token": self.give()})

    def check(self):
        (request,) = self.requests
        assert (request.method, request.path) == ("POST", "/tenant-1/oauth2/v2.0/token")
        assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert request.form == {
            "grant_type": "client_credentials",
            "client_id": "client-1",
            "scope": "https://ossrdbms-aad.database.windows.net/.default",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.jwt,
        }


class Aws(Cloud):
    """`keys_from`: variables, with a session token or without; the agent of EKS or ECS; a pod's token through STS."""

    def __init__(self, authority, home, keys_from="variables"):
        self.keys_from = keys_from
        self.keys = Keys(keys_from != "variables without session")
        super().__init__(authority, home)
        self.secrets += [self.keys.secret, *([self.keys.session] if self.keys.session else [])]
        self.metadata = World(self._lend)
        self.jwt = self.secret("jwt")
        self.environment |= {"AWS_REGION": REGION, "AWS_ENDPOINT_URL_SECRETS_MANAGER": self.world.url + "/", "AWS_ENDPOINT_URL_STS": self.world.url + "/sts"}
        if keys_from == "agent":
            self.environment |= {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.metadata.url}/v1/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": self.write("agent-token", self.jwt),
            }
        elif keys_from == "web identity":
            self.environment |= {"AWS_WEB_IDENTITY_TOKEN_FILE": self.write("aws-token", self.jwt + "\n"), "AWS_ROLE_ARN": "arn:aws:iam::1:role/m+n"}
        else:
            self.environment |= {"AWS_ACCESS_KEY_ID": self.keys.id, "AWS_SECRET_ACCESS_KEY": self.keys.secret}
            if self.keys.session:
                self.environment["AWS_SESSION_TOKEN"] = self.keys.session

    def _lend(self, request):
        return Answer(200, {"AccessKeyId": self.keys.id, "SecretAccessKey": self.keys.secret, "Token": self.keys.session, "Expiration": "2099-01-01T00:00:00Z"})

    def answer(self, request):
        text = (
            '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>'
            f"<SessionToken>{self.keys.session}</SessionToken><SecretAccessKey>{self.keys.secret}</SecretAccessKey>"
            f"<Expiration>2099-01-01T00:00:00Z</Expiration><AccessKeyId>{self.keys.id}</AccessKeyId>"
            "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
        )
        return Answer(200, text, {"Content-Type": "text/xml"})

    def check_keys(self):
        """How they were asked for; gives the requests that come after it."""
        assert len(self.metadata.requests) == (self.keys_from == "agent")
        for request in self.metadata.requests:
            assert (request.method, request.path, request.headers["Authorization"]) == ("GET", "/v1/credentials", self.jwt)
        if self.keys_from != "web identity":
            return self.requests
        asked, *rest = self.requests
        assert (asked.method, asked.path) == ("POST", "/sts") and "Authorization" not in asked.headers
        assert asked.form == {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": "arn:aws:iam::1:role/m+n",
            "RoleSessionName": "tidelock",
            "WebIdentityToken": self.jwt,
        }
        return rest

    def close(self):
        super().close()
        self.metadata.close()


class AwsRds(Aws):
    source, whom = "aws-rds", "AWS STS"

    def check(self):
        assert self.check_keys() == []


class AwsSecret(Aws):
    source, whom = "aws-secret", "AWS Secrets Manager"

    def __init__(self, authority, home, keys_from="variables", is_json=True):
        super().__init__(authority, home, keys_from)
        self.is_json = is_json
        self.user = None
        self.arguments += ["--secret-name", "shop/database"]

    def answer(self, request):
        if request.path == "/sts":
            return super().answer(request)
        said = {"username": self.user, "password": self.give(), "engine": "postgres"} if self.user else {"password": self.give()}
        text = json.dumps(said) if self.is_json else self.give()
        return Answer(200, {"ARN": "arn:aws:secretsmanager:x", "Name": "shop/database", "SecretString": text, "VersionStages": ["AWSCURRENT"]})

    def check(self):
        (request,) = self.check_keys()
        assert (request.method, request.path, request.json) == ("POST", "/", {"SecretId": "shop/database"})
        assert request.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue" and request.headers["Content-Type"] == "application/x-amz-json-1.1"
        assert request.headers.get("X-Amz-Security-Token") == self.keys.session
        check_signed_request(request, "secretsmanager", self.keys)


class Vault(Cloud):
    """Logged in to with the pod's token, or with VAULT_TOKEN; the secret is of a database engine, or of a key-value engine (the second version)."""

    source, whom = "vault", "Vault"

    def __init__(self, authority, home, is_pod=True, engine="database"):
        super().__init__(authority, home)
        self.engine = engine
        self.is_pod = is_pod
        self.user = None
        self.leases = 0
        self.lacks = None
        self.on_return = lambda: Answer(204)  # when the token or the lease comes back
        self.token = self.secret("token")
        self.jwt = self.secret("jwt")
        self.path = {"database": "database/creds/shop", "kv": "secret/data/shop/database"}[engine]
        del self.environment["SSL_CERT_FILE"]
        self.environment |= {"VAULT_ADDR": self.world.url + "/", "VAULT_CACERT": str(authority.folder / "ca.crt"), "VAULT_NAMESPACE": "team/shop"}
        self.arguments += ["--secret-name", self.path]
        if is_pod:
            (home / "account").mkdir()
            self.write("account/token", self.jwt)
            self.arguments += ["--service-account", str(home / "account"), "--vault-role", "migrator", "--vault-auth", "kubernetes/eu"]
        else:
            self.environment["VAULT_TOKEN"] = self.token

    def answer(self, request):
        path = request.path.removeprefix("/v1/")
        if path == "auth/kubernetes/eu/login":
            return Answer(200, {"lease_id": "", "data": None, "auth": {"client_token": self.token, "policies": ["default"], "lease_duration": 3600, "renewable": True}})
        if request.headers.get("X-Vault-Token") != self.token:
            return Answer(403, {"errors": ["permission denied"]})
        if path in ("auth/token/revoke-self", "sys/leases/revoke"):
            return self.on_return()
        if path != self.path:
            return Answer(404, {"errors": []})
        given = {"password": self.give(), **({"username": self.user} if self.user else {})}
        given.pop(self.lacks, None)
        if self.engine == "kv":
            return Answer(200, {"lease_id": "", "lease_duration": 0, "renewable": False, "data": {"data": given, "metadata": {"version": 3}}, "auth": None})
        self.leases += 1
        return Answer(200, {"lease_id": f"{self.path}/{self.leases}", "lease_duration": self.expires_in, "renewable": True, "data": given, "auth": None})

    def check(self):
        asked = self.requests[:]
        assert all(request.headers["X-Vault-Request"] == "true" and request.headers["X-Vault-Namespace"] == "team/shop" for request in asked)
        if self.is_pod:
            login = asked.pop(0)
            assert (login.method, login.path, login.json) == (
                "POST",
                "/v1/auth/kubernetes/eu/login",
                {"role": "migrator", "jwt": self.jwt},
            ) and "X-Vault-Token" not in login.headers
        assert all(request.headers["X-Vault-Token"] == self.token for request in asked)
        read = asked.pop(0)
        assert (read.method, read.path, read.body) == ("GET", f"/v1/{self.path}", b"")
        given_back = {True: [("POST", "/v1/auth/token/revoke-self")], False: [("PUT", "/v1/sys/leases/revoke")] * (self.engine == "database")}[self.is_pod]
        assert [(request.method, request.path) for request in asked] == given_back
        assert self.is_pod or not asked or asked[0].json == {"lease_id": f"{self.path}/1"}


class Directory:
    """As much of an LDAP server as one bind is. PostgreSQL asks it about a user's password, which it got in clear; the test judges."""

    def __init__(self):
        self.judges = {}
        self.binds = {}  # the passwords that came, by user
        self.listener = socket.create_server((HOST, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, client.makefile("rb") as stream:
            _, message = _element(stream)
            (_, number), (_, bind) = _elements(message)
            _, (_, name), (_, password) = _elements(bind)
            user, password = name.decode().removeprefix("cn="), password.decode()
            self.binds.setdefault(user, []).append(password)
            code = 0 if self.judges.get(user, lambda password: False)(password) else 49
            answer = b"\x02" + bytes([len(number)]) + number + b"\x61\x07\x0a\x01" + bytes([code]) + b"\x04\x00\x04\x00"
            client.sendall(b"\x30" + bytes([len(answer)]) + answer)
            stream.read()

    def close(self):
        self.listener.close()


def _element(stream):
    """One of ASN.1's: kind and content."""
    kind, length = stream.read(1), stream.read(1)[0]
    if length > 127:
        length = int.from_bytes(stream.read(length - 128), "big")
    return kind, stream.read(length)


def _elements(data):
    found = []
    while data:
        length, start = data[1], 2
        if length > 127:
            start = 2 + length - 128
            length = int.from_bytes(data[2:start], "big")
        found.append((data[:1], data[start : start + length]))
        data = data[start + length :]
    return found


class Door:
    """A server with TLS that asks for passwords: those of the group by_scram as usual, those of by_directory in clear and over TLS only."""

    def __init__(self, servers, authority):
        self.directory = Directory()
        ldap = f'ldap ldapserver={HOST} ldapport={self.directory.port} ldapprefix="cn="'
        lines = [
            "local all postgres trust",
            f"host all postgres {HOST}/32 trust",
            f"host all +by_scram {HOST}/32 scram-sha-256",
            f"hostssl all +by_password {HOST}/32 password",
            f"hostssl all +by_directory {HOST}/32 {ldap}",
        ]
        major = distribution_major()
        self.server = Server(major, servers.binaries[major], hba="\n".join(lines) + "\n")
        authority.install(self.server, "server")
        self.server.query("CREATE ROLE by_scram; CREATE ROLE by_password; CREATE ROLE by_directory")

    def let_in(self, database, group, user=None, password=None):
        """A new role, which owns the database."""
        user = user or f"user_{os.urandom(4).hex()}"
        self.server.query(f"""CREATE ROLE "{user}" LOGIN IN ROLE {group}{f" PASSWORD '{password}'" if password else ""}""")
        self.server.query(f'ALTER DATABASE "{database.name}" OWNER TO "{user}"')
        return user

    def url(self, database, user, **parameters):
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        return f"postgresql://{urllib.parse.quote(user, safe='')}@{HOST}:{self.server.port}/{database.name}{query}"

    def remove(self):
        self.server.remove()
        self.directory.close()
