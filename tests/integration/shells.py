"""What bash, zsh and fish offer for a line that somebody types."""

import os
import pty
import subprocess

PROMPT = "ready>"

# Control-T inserts all that is offered, Control-G writes the line to a file.
BASHRC = """
PS1='{prompt}'
source {share}/bash-completion/completions/tidelock
note() {{ printf '%s' "$READLINE_LINE" >{answer}; }}
bind 'set bell-style none' 2>/dev/null
bind '"\\C-t": insert-completions' 2>/dev/null
bind -x '"\\C-g": note' 2>/dev/null
"""

# All that zsh offers goes through compadd.
ZSHRC = """
PS1='{prompt}'
fpath=({share}/zsh/site-functions $fpath)
autoload -Uz compinit && compinit -u -D
zstyle ':completion:*' verbose no
LISTMAX=10000
compadd() {{
    local -a offered
    if [[ ${{@[1,(i)(-|--)]}} != *-(O|A|D)\\ * ]]; then
        builtin compadd -O offered "$@"
        print -rl -- $offered >>{answer}
    fi
    builtin compadd "$@"
}}
"""


def _type(words, keys, folder, environment):
    """Starts an interactive shell on a terminal, waits for its prompt, and types."""
    terminal, end = pty.openpty()
    process = subprocess.Popen(words, stdin=end, stdout=end, stderr=end, cwd=folder, env=environment, start_new_session=True)
    os.close(end)
    screen = b""
    try:
        while PROMPT.encode() not in screen:
            screen += os.read(terminal, 4096)
        os.write(terminal, keys.encode())
        while True:
            screen += os.read(terminal, 4096)
    except OSError:  # the shell has ended
        assert process.wait(timeout=30) == 0, screen.decode(errors="replace")
    finally:
        os.close(terminal)


class Shell:
    def __init__(self, root, home, folder):
        """`root` is what was installed to, `folder` where the shell runs; it keeps its files in `home`."""
        self.share = root / "share"
        self.home = home
        self.folder = folder
        self.answer = home / "answer"
        self.environment = {
            "PATH": f"{root / 'bin'}:{os.environ['PATH']}",
            "HOME": str(home),
            "ZDOTDIR": str(home),
            "XDG_DATA_DIRS": f"{self.share}:/usr/share",
            "TERM": "xterm",
            "LC_ALL": "C.UTF-8",
            "ASAN_OPTIONS": "detect_leaks=0",
        }

    def _write(self, name, text):
        file = self.home / name
        file.write_text(text.format(prompt=PROMPT, share=self.share, answer=self.answer))
        self.answer.unlink(missing_ok=True)
        return file

    def offers(self, line, word=""):
        """What is offered for `word` at the end of `line`."""
        return sorted(offer.rstrip("/") for offer in self._offers(line, word))


class Bash(Shell):
    def _offers(self, line, word):
        rc = self._write("bashrc", BASHRC)
        _type(["bash", "--noprofile", "--rcfile", rc, "-i"], f"{line}{word}\x14\x07\x15exit\r", self.folder, self.environment)
        shown = self.answer.read_text()
        assert shown.startswith(line)
        return [] if shown == line + word else shown[len(line) :].split()


class Zsh(Shell):
    def _offers(self, line, word):
        self._write(".zshrc", ZSHRC)
        _type(["zsh", "-d", "-i"], f"{line}{word}\t\x15exit\r", self.folder, self.environment)
        return set(self.answer.read_text().split()) if self.answer.exists() else []


class Fish(Shell):
    def _offers(self, line, word):
        done = subprocess.run(
            ["fish", "--command", f"complete --do-complete '{line}{word}'"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        assert not done.stderr
        return [row.split("\t")[0] for row in done.stdout.splitlines()]


SHELLS = {"bash": Bash, "zsh": Zsh, "fish": Fish}
