"""A host of its own on a network of its own, whose cable can be cut: a network namespace and a veth pair."""

import os
import random
import subprocess


def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class Host:
    """`address` reaches it from here, `gateway` reaches us from there."""

    def __init__(self):
        self.name = f"tidelock-{os.urandom(4).hex()}"
        self.here, self.there = f"tl{self.name[-8:]}a", f"tl{self.name[-8:]}b"
        network = f"10.{random.randrange(200, 250)}.{random.randrange(256)}"
        self.gateway, self.address = f"{network}.1", f"{network}.2"
        ip("netns", "add", self.name)
        try:
            ip("link", "add", self.here, "type", "veth", "peer", "name", self.there, "netns", self.name)
            ip("addr", "add", f"{self.gateway}/30", "dev", self.here)
            ip("link", "set", self.here, "up")
            ip("-n", self.name, "addr", "add", f"{self.address}/30", "dev", self.there)
            self.plug_in()
        except subprocess.CalledProcessError:
            self.remove()
            raise

    def command(self, *words):
        return ["ip", "netns", "exec", self.name, *words]

    def cut(self):
        ip("-n", self.name, "link", "set", self.there, "down")

    def plug_in(self):
        ip("-n", self.name, "link", "set", self.there, "up")

    def remove(self):
        subprocess.run(["ip", "link", "del", self.here], capture_output=True)
        ip("netns", "del", self.name)
