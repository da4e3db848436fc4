"""The image's first program makes keys once, and with them a port is open to the container's own client."""
import os
import pathlib
import signal
import stat
import subprocess
import tempfile

from house import PATIENCE_S, SOURCE, binary, run_tests, until
from security_test import free_port

ENTRY = SOURCE / "docker" / "entrypoint.sh"


class Volume(tempfile.TemporaryDirectory):
    """What the containers of one compose file share."""

    def __enter__(self):
        self.path = pathlib.Path(super().__enter__())
        self.keys = self.path / "state" / "tocsin" / "keys"
        self.environment = {**os.environ, "XDG_STATE_HOME": str(self.path / "state"),
                            "XDG_CONFIG_HOME": str(self.path / "config"),
                            "TOCSIN_RUNTIME_DIR": str(self.path / "run"),
                            "PATH": f"{pathlib.Path(binary('tocsin')).parent}:{os.environ['PATH']}"}
        return self

    def begin(self, *words, **environment):
        return subprocess.Popen(["sh", str(ENTRY), *words], env={**self.environment, **environment},
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, *words, **environment):
        """(exit status, what it said)."""
        process = self.begin(*words, **environment)
        said = process.communicate(timeout=PATIENCE_S)[0]
        return process.returncode, said

    def files(self):
        return {path.name: path.read_bytes() for path in self.keys.iterdir()}


def test_containers_that_start_together_make_one_pair_each():
    with Volume() as volume:
        together = [volume.begin("broker" if n % 2 else "watcher", "--help") for n in range(6)]
        for process in together:
            said = process.communicate(timeout=PATIENCE_S)[0]
            assert process.returncode == 0, said
        first = volume.files()
        assert first["broker.public"] == first["server.public"] == first["watcher.public"]
        assert first["client.public"].strip() in first["access.yaml"]
        for name in ("server.secret", "client.secret"):
            assert stat.S_IMODE((volume.keys / name).stat().st_mode) == 0o600, name
        assert stat.S_IMODE(volume.keys.stat().st_mode) == 0o700
        assert volume.run("broker", "--help")[0] == 0
        assert volume.files() == first, "a later start changed the keys"


def test_a_start_that_was_cut_off_leaves_nothing_behind():
    with Volume() as volume:
        half = volume.keys.with_name("keys.new")
        half.mkdir(parents=True)
        (half / "server.secret").write_text("half a key")
        assert volume.run("watcher", "--help")[0] == 0
        assert not half.exists()
        assert volume.files()["client.public"].strip() in volume.files()["access.yaml"]


def test_the_keys_open_a_port_to_who_has_them_and_to_nobody_else():
    with Volume() as volume:
        fetch, live = (f"tcp://127.0.0.1:{free_port()}" for _ in range(2))
        settings = volume.path / "config" / "tocsin" / "broker.yaml"
        settings.parent.mkdir(parents=True)
        settings.write_text(f"keys: {volume.keys}\nlisten: {{fetch: '{fetch}', live: '{live}'}}\n")
        broker = volume.begin("broker")
        asking = {"TOCSIN_FETCH": fetch, "TOCSIN_LIVE": live}
        try:
            until("the broker to answer", lambda: '"broker":{' in volume.run(
                "status", "--json", "--patience", "2s", TOCSIN_KEYS=str(volume.keys), **asking)[1])
            said = volume.run("status", "--json", "--patience", "1s", **asking)[1]
            assert '"broker":null' in said.replace(" ", ""), said
        finally:
            broker.send_signal(signal.SIGTERM)
            said = broker.communicate(timeout=PATIENCE_S)[0]
        assert broker.returncode == 0, said


if __name__ == "__main__":
    run_tests(globals())
