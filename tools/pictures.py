"""The terminal pictures of `docs/install.md`, made of real runs: `python tools/pictures.py [--out DIR]`.

A broker with the shipped configuration, certificates of an authority of its own, and the guard, on a drawn
scene: all in one folder and on free loopback ports. What programs print is kept as it is, but for that folder
and the address of the broker, which read like a site's. Needs mosquitto, and the detector's model.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from _pictures import Session, svg
from _programs import EDGEGUARD, Program, free_port

ROOT = Path(__file__).resolve().parent.parent
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
SHOWN_FOLDER = "/home/installer"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        site = Site(Path(name))
        site.start()
        try:
            for title, text in site.pictures():
                (out / f"{title}.svg").write_text(svg(text, title), "utf-8")
                print(out / f"{title}.svg")
        finally:
            site.stop()
    return 0


class Site:
    """A broker and a box, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._port, self._websocket_port = free_port(), free_port()
        self._health_port = free_port()
        self._broker = Program("broker", [MOSQUITTO, "-c", str(folder / "mosquitto.conf")], folder)
        self._guard = Program("guard", [*EDGEGUARD, "run", "site.yaml"], folder)

    def start(self) -> None:
        for words in (
            ["ca", "pki"],
            ["server", "pki", "--host", "localhost"],
            ["client", "pki", "depot/gate-1"],
            ["client", "pki", "control-room"],
        ):
            self._run(*EDGEGUARD, "broker", *words)
        self._hand_over("stick", "depot/gate-1", "gate-1")
        self._hand_over("desk", "control-room", "control-room")
        self._configure_broker()
        self._broker.start()

    def stop(self) -> None:
        for program in (self._guard, self._broker):
            if program.running:
                program.stop()

    def pictures(self) -> list[tuple[str, str]]:
        """Name and text, in the order in which an installer sees them."""
        plan = self._show("deploy/install.sh --plan", ["sh", str(ROOT / "deploy" / "install.sh"), "--plan"])
        init = ["init", "site.yaml", "--device", "gate-1"]
        asked = self._show(f"edgeguard {' '.join(init)}", [*EDGEGUARD, *init], self._answers())
        self._move_in()
        checked = self._show("edgeguard check site.yaml", [*EDGEGUARD, "check", "site.yaml"])
        looked = self._show("edgeguard doctor site.yaml", [*EDGEGUARD, "doctor", "site.yaml"])
        watched, acknowledged = self._alerts()
        return [
            ("install-plan", plan),
            ("init", asked),
            ("doctor", f"{checked}\n{looked}"),
            ("watch", watched),
            ("dashboard", acknowledged),
        ]

    def _answers(self) -> list[tuple[str, str]]:
        return [
            ("Site .*: ", "depot"),
            ("broker .*: ", f"localhost.localdomain:{self._port}"),
            ("folder .*Enter: ", "stick"),
            ("another .*Enter: ", "yard=scene://yard"),
            ("another .*Enter: ", ""),
            ("another .*Enter: ", ""),
            ("guard against .*: ", "intrusion"),
        ]

    def _move_in(self) -> None:
        """What a real box has by itself: the broker's port, a state folder, models; and any hour will do."""
        file = self.folder / "site.yaml"
        text = file.read_text("utf-8").replace("localhost.localdomain", "localhost")
        text = text.replace('{from: "20:00", to: "06:00"}', '{from: "00:00", to: "24:00"}')
        more = f"state_dir: state\nmodels: {{mirrors: [{ROOT.parent / 'shared'}]}}\n"
        file.write_text(f"{text}{more}health: {{http_port: {self._health_port}}}\n", "utf-8")
        (self.folder / "state").mkdir()

    def _alerts(self) -> tuple[str, str]:
        """What two who listen see, while the guard runs."""
        desk = ["--ca-file", "desk/ca.crt", "--cert-file", "desk/control-room.crt", "--key-file"]
        place = ["--host", "localhost", "--port", str(self._port)]
        watch = Session([*EDGEGUARD, "watch", *place, *desk, "desk/control-room.key"], self.folder)
        wall = Session(
            [sys.executable, str(ROOT / "docs/dashboards/subscriber.py"), str(self._dashboard())], self.folder
        )
        for session in (watch, wall):
            session.wait_for("connected")
        self._guard.start()
        line = wall.wait_for(r"alarm opened .*\[([0-9a-f]{12})\]")
        wall.type(f"ack {line[1]} true the cleaner")
        wall.wait_for("ack done")
        watch.wait_for("opened")
        self._guard.stop()
        wall.wait_for("is stopped")
        words = (
            "edgeguard watch --host broker.depot.example --ca-file ca.crt --cert-file control-room.crt ..."
        )
        return self._shown(words, watch.end()), self._shown("python subscriber.py dashboard.json", wall.end())

    def _dashboard(self) -> Path:
        file = self.folder / "desk" / "dashboard.json"
        settings = json.loads((ROOT / "docs" / "dashboards" / "dashboard.json").read_text("utf-8"))
        file.write_text(json.dumps({**settings, "host": "localhost", "port": self._port}), "utf-8")
        return file

    def _hand_over(self, folder: str, user: str, name: str) -> None:
        """What whoever runs the broker gives to whoever installs."""
        (self.folder / folder).mkdir()
        for path in ("ca.crt", f"clients/{user}.crt", f"clients/{user}.key"):
            shutil.copy(self.folder / "pki" / path, self.folder / folder)
        assert (self.folder / folder / f"{name}.key").is_file()

    def _configure_broker(self) -> None:
        there, pki = self.folder / "broker", self.folder / "pki"
        there.mkdir()
        for path, name in (
            (pki / "ca.crt", "ca.crt"),
            (pki / "ca.crl", "ca.crl"),
            (pki / "server" / "localhost.crt", "server.crt"),
            (pki / "server" / "localhost.key", "server.key"),
            (ROOT / "deploy" / "broker" / "acl", "acl"),
        ):
            shutil.copy(path, there / name)
        (there / "passwords").touch()
        text = (ROOT / "deploy" / "broker" / "mosquitto.conf").read_text("utf-8")
        for shipped, here in (
            ("/etc/mosquitto/edgeguard", str(there)),
            ("/var/lib/mosquitto/", f"{there}/"),
            ("listener 8883\n", f"listener {self._port} 127.0.0.1\n"),
            ("listener 8884\n", f"listener {self._websocket_port} 127.0.0.1\n"),
        ):
            text = text.replace(shipped, here)
        (self.folder / "mosquitto.conf").write_text(f"{text}user root\n", "utf-8")

    def _show(self, words: str, command: list[str], answers: list[tuple[str, str]] | None = None) -> str:
        session = Session(command, self.folder)
        for prompt, answer in answers or []:
            session.wait_for(prompt, anew=True)
            session.type(answer)
        return self._shown(words, session.end(interrupt=False))

    def _shown(self, words: str, printed: str) -> str:
        text = f"$ {words}\n{printed}"
        for here, there in (
            (str(self.folder), SHOWN_FOLDER),
            (f"localhost.localdomain:{self._port}", "broker.depot.example"),
            (f"localhost:{self._port}", "broker.depot.example:8883"),
        ):
            text = text.replace(here, there)
        return text

    def _run(self, *command: str) -> None:
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
