"""A real Kubernetes cluster of one node, made of the parts that ./cluster builds, with Debian's containerd as its runtime.

It lives in network, mount and process namespaces of its own: ending their first process ends everything in them, and unmounts what was
mounted. A veth pair joins it to the machine, so kubectl, helm and a PostgreSQL server run outside as they would elsewhere.
"""

import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from wait import wait_until  # noqa: E402

# kubelet turns these over for the whole machine.
SYSCTLS = ["vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes"]


class Refused(Exception):
    """Why there is no cluster here."""


def built(what):
    """The program of ./cluster or ./gitops, from a cache outside the checkout."""
    done = subprocess.run([HERE / "build", what], capture_output=True, text=True)
    if done.returncode != 0:
        raise Refused(f"{what} can't be built: {done.stderr.strip()[-500:]}")
    return pathlib.Path(done.stdout.strip())


def run(*words, check=True, seconds=120, **more):
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=seconds, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"$ {' '.join(map(str, words))}\nexit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done


class Cluster:
    def __init__(self):
        if os.getuid() != 0:
            raise Refused("a cluster wants root")
        for name in ["containerd", "runc", "ctr", "openssl", "ip", "nsenter", "unshare"]:
            if not shutil.which(name):
                raise Refused(f"{name} is not installed: tests/deps kubernetes")
        if not pathlib.Path("/usr/lib/cni/bridge").exists():
            raise Refused("containernetworking-plugins is not installed: tests/deps kubernetes")
        self.program = built("cluster")
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tidelock-cluster-"))
        self.home.chmod(0o755)
        self.parts = {}
        self.first = None
        self.sysctls = {name: pathlib.Path("/proc/sys", name).read_text() for name in SYSCTLS if pathlib.Path("/proc/sys", name).exists()}
        number = random.randrange(256)
        self.outside, self.inside, self.pods = f"10.213.{number}.1", f"10.213.{number}.2", f"10.214.{number}"
        self.link = f"tidelock{number}"
        self.cgroup = f"/tidelock-test-{os.getpid()}"
        self.kubeconfig = self.home / "admin.kubeconfig"
        try:
            self._enter()
            self._certificates()
            self._start_control_plane()
            self._start_node()
        except BaseException:
            self.remove()
            raise

    # ---- the machine's side

    def _enter(self):
        self.first = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child", "--propagation", "slave", sys.executable, HERE / "first_process.py"],
            start_new_session=True,
        )
        pid = wait_until(self._inside_pid, "the namespaces to be there")
        self.nsenter = ["nsenter", "-t", str(pid), "-m", "-n", "-p"]
        run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        run("ip", "address", "add", f"{self.outside}/30", "dev", self.link)
        run("ip", "link", "set", self.link, "up")
        run("ip", "route", "add", f"{self.pods}.0/24", "via", self.inside)
        self.inside_run("mount", "--make-rshared", "/")
        self.inside_run("ip", "link", "set", "lo", "up")
        self.inside_run("ip", "address", "add", f"{self.inside}/30", "dev", "eth0")
        self.inside_run("ip", "link", "set", "eth0", "up")
        self.inside_run("ip", "route", "add", "default", "via", self.outside)
        self.inside_run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")

    def _inside_pid(self):
        """The first process itself: the child of unshare, once it has become that."""
        children = pathlib.Path(f"/proc/{self.first.pid}/task/{self.first.pid}/children").read_text().split()
        for pid in children:
            if pathlib.Path(f"/proc/{pid}/cmdline").read_text().startswith(sys.executable + "\0"):
                return int(pid)
        return None

    def inside_run(self, *words, **more):
        return run(*self.nsenter, *words, **more)

    def _start(self, part, *words):
        log = (self.home / f"{part}.log").open("ab")
        self.parts[part] = subprocess.Popen(
            [*self.nsenter, *map(str, words)], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
        log.close()

    def _check(self):
        for part, process in self.parts.items():
            if process.poll() is not None:
                raise AssertionError(f"{part} has ended:\n" + self.log(part))
        return True

    def log(self, part):
        return (self.home / f"{part}.log").read_text(errors="replace")[-4000:]

    # ---- certificates

    def _certificates(self):
        pki = self.home / "pki"
        pki.mkdir()
        openssl = lambda *words: run("openssl", *words, cwd=pki)  # noqa: E731
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=ca", "-days", "2")
        names = {
            "apiserver": ("/CN=kube-apiserver", f"subjectAltName=IP:{self.inside},IP:127.0.0.1,IP:10.215.0.1,DNS:kubernetes.default.svc"),
            "admin": ("/O=system:masters/CN=admin", ""),
            "controller-manager": ("/CN=system:kube-controller-manager", ""),
            "scheduler": ("/CN=system:kube-scheduler", ""),
            "kubelet": ("/O=system:nodes/CN=system:node:node", f"subjectAltName=IP:{self.inside},DNS:node"),
        }
        for name, (subject, extension) in names.items():
            openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
            (pki / f"{name}.ext").write_text(f"{extension}\nextendedKeyUsage=clientAuth,serverAuth\n")
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.crt", "-days", "2", "-extfile", f"{name}.ext")
            if name != "apiserver":
                self._write_kubeconfig(name)
        openssl("genrsa", "-out", "tokens.key", "2048")

    def _write_kubeconfig(self, name):
        pki = self.home / "pki"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": {"server": f"https://{self.inside}:6443", "certificate-authority": str(pki / "ca.crt")}}],
            "users": [{"name": name, "user": {"client-certificate": str(pki / f"{name}.crt"), "client-key": str(pki / f"{name}.key")}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": name}}],
            "current-context": "test",
        }
        (self.home / f"{name}.kubeconfig").write_text(json.dumps(config))

    # ---- the parts

    def _start_control_plane(self):
        pki = self.home / "pki"
        self._start("etcd", self.program, "etcd", "--data-dir", self.home / "etcd", "--unsafe-no-fsync", "--log-level=warn",
                    "--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379", "--listen-peer-urls=http://127.0.0.1:2380")  # fmt: skip
        self._start("apiserver", self.program, "apiserver", "--etcd-servers=http://127.0.0.1:2379", f"--advertise-address={self.inside}", "--bind-address=0.0.0.0", "--secure-port=6443",
                    f"--tls-cert-file={pki}/apiserver.crt", f"--tls-private-key-file={pki}/apiserver.key", f"--client-ca-file={pki}/ca.crt", "--authorization-mode=Node,RBAC",
                    f"--service-account-issuer=https://{self.inside}:6443", f"--service-account-key-file={pki}/tokens.key", f"--service-account-signing-key-file={pki}/tokens.key",
                    "--service-cluster-ip-range=10.215.0.0/24", "--allow-privileged=true", f"--kubelet-client-certificate={pki}/admin.crt", f"--kubelet-client-key={pki}/admin.key",
                    f"--kubelet-certificate-authority={pki}/ca.crt", "--kubelet-preferred-address-types=InternalIP", "--profiling=false")  # fmt: skip
        wait_until(lambda: self._check() and self.kubectl("get", "--raw", "/readyz", check=False).stdout == "ok", "the API server", 120)
        self._start("controller-manager", self.program, "controller-manager", f"--kubeconfig={self.home}/controller-manager.kubeconfig", "--leader-elect=false",
                    f"--service-account-private-key-file={pki}/tokens.key", f"--root-ca-file={pki}/ca.crt", "--use-service-account-credentials=true",
                    "--node-monitor-period=2s", "--node-monitor-grace-period=16s", "--controllers=*,-nodeipam,-service-lb-controller,-cloud-node-lifecycle-controller", "--profiling=false")  # fmt: skip
        self._start("scheduler", self.program, "scheduler", f"--kubeconfig={self.home}/scheduler.kubeconfig", "--leader-elect=false")

    def _start_node(self):
        self._write_node_files()
        self._start("containerd", "containerd", "--config", self.home / "containerd.toml")
        wait_until(lambda: self._check() and self.ctr("version", check=False).returncode == 0, "containerd", 60)
        self._start("kubelet", self.program, "kubelet", f"--config={self.home}/kubelet.yaml", f"--kubeconfig={self.home}/kubelet.kubeconfig", f"--root-dir={self.home}/kubelet",
                    f"--cert-dir={self.home}/kubelet-pki", "--hostname-override=node", f"--node-ip={self.inside}")  # fmt: skip
        wait_until(lambda: self._check() and self._node_is_ready(), "the node to be ready", 120)

    def _write_node_files(self):
        cni = self.home / "cni"
        cni.mkdir()
        network = {
            "cniVersion": "0.4.0",
            "name": "pods",
            "plugins": [
                {
                    "type": "bridge",
                    "bridge": "pods",
                    "isGateway": True,
                    "ipam": {"type": "host-local", "dataDir": str(self.home / "ipam"), "ranges": [[{"subnet": f"{self.pods}.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]},
                }
            ],
        }
        (cni / "pods.conflist").write_text(json.dumps(network))
        (self.home / "containerd.toml").write_text(
            textwrap.dedent(f"""
                version = 2
                root = "{self.home}/containerd"
                state = "{self.home}/containerd-state"
                disabled_plugins = ["io.containerd.internal.v1.opt"]
                [grpc]
                  address = "{self.home}/containerd.sock"
                [plugins."io.containerd.grpc.v1.cri"]
                  sandbox_image = "tidelock.test/pause:1"
                  restrict_oom_score_adj = true
                  disable_apparmor = true
                  [plugins."io.containerd.grpc.v1.cri".cni]
                    bin_dir = "/usr/lib/cni"
                    conf_dir = "{cni}"
                  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
                    runtime_type = "io.containerd.runc.v2"
            """)
        )
        (self.home / "resolv.conf").write_text("")
        (self.home / "kubelet.yaml").write_text(
            json.dumps(
                {
                    "apiVersion": "kubelet.config.k8s.io/v1beta1",
                    "kind": "KubeletConfiguration",
                    "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": False}, "x509": {"clientCAFile": f"{self.home}/pki/ca.crt"}},
                    "authorization": {"mode": "AlwaysAllow"},
                    "tlsCertFile": f"{self.home}/pki/kubelet.crt",
                    "tlsPrivateKeyFile": f"{self.home}/pki/kubelet.key",
                    "containerRuntimeEndpoint": f"unix://{self.home}/containerd.sock",
                    "cgroupDriver": "cgroupfs",
                    "cgroupRoot": self.cgroup,
                    "cgroupsPerQOS": False,
                    "enforceNodeAllocatable": [],
                    "failSwapOn": False,
                    "failCgroupV1": False,
                    "makeIPTablesUtilChains": False,
                    "imageGCHighThresholdPercent": 100,
                    "evictionHard": {"memory.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%"},
                    "resolvConf": f"{self.home}/resolv.conf",
                    "volumePluginDir": f"{self.home}/plugins",
                    "podLogsDir": f"{self.home}/pod-logs",
                    "syncFrequency": "5s",
                    "registryPullQPS": 0,
                    "eventRecordQPS": 0,
                    "maxPods": 60,
                }
            )
        )

    def _node_is_ready(self):
        done = self.kubectl("get", "node", "node", "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}", check=False)
        return done.stdout == "True"

    # ---- what tests use

    def kubectl(self, *words, check=True, seconds=120, input=None):
        return run(self.program, "kubectl", "--kubeconfig", self.kubeconfig, *words, check=check, seconds=seconds, input=input)

    def ctr(self, *words, check=True):
        return run("ctr", "--address", self.home / "containerd.sock", "--namespace", "k8s.io", *words, check=check)

    def load(self, archive):
        """An image from a docker archive."""
        self.ctr("images", "import", archive)

    def remove(self):
        with contextlib.suppress(Exception):
            if "apiserver" in self.parts and self.parts["apiserver"].poll() is None:
                self.kubectl("delete", "pods", "--all", "--all-namespaces", "--grace-period=1", "--wait=false")
        for process in self.parts.values():
            process.terminate()
        if self.first:
            inside = None
            with contextlib.suppress(Exception):
                inside = self._inside_pid()
            if inside:
                os.kill(inside, signal.SIGKILL)
            self.first.kill()
            self.first.wait(30)
        for process in self.parts.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
        run("ip", "link", "delete", self.link, check=False)
        for name, value in self.sysctls.items():
            with contextlib.suppress(OSError):
                pathlib.Path("/proc/sys", name).write_text(value)
        self._remove_cgroups()
        shutil.rmtree(self.home, ignore_errors=True)

    def _remove_cgroups(self):
        deadline = time.monotonic() + 10
        for hierarchy in pathlib.Path("/sys/fs/cgroup").iterdir():
            top = hierarchy / self.cgroup.lstrip("/")
            if not top.is_dir():
                continue
            for folder, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(folder)
            while top.is_dir() and time.monotonic() < deadline:
                with contextlib.suppress(OSError):
                    os.rmdir(top)
