"""A certificate authority of the tests' own, and servers that use what it signs."""

import os
import subprocess


class Authority:
    def __init__(self, folder):
        self.folder = folder
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=ca", "-days", "2")

    def _openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def issue(self, name, common_name, extension):
        """NAME.crt and NAME.key in the folder; only their owner may read the key."""
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={common_name}")
        (self.folder / f"{name}.ext").write_text(extension + "\n")
        files = ["-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.crt", "-extfile", f"{name}.ext"]
        self._openssl("x509", "-req", *files, "-days", "2")
        (self.folder / f"{name}.key").chmod(0o600)

    def install(self, server, name):
        """The server presents NAME.crt from now on, and believes what the authority signs."""
        for setting, file in [("ssl_cert_file", f"{name}.crt"), ("ssl_key_file", f"{name}.key"), ("ssl_ca_file", "ca.crt")]:
            copy = server.home / file
            copy.write_bytes((self.folder / file).read_bytes())
            os.chown(copy, server.user.pw_uid, -1)
            copy.chmod(0o600)
            server.query(f"ALTER SYSTEM SET {setting} = '{copy}'")
        server.query("ALTER SYSTEM SET ssl = on")
        server.query("SELECT pg_reload_conf()")
